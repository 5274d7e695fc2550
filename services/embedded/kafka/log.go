package kafka

import (
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// brokerLog hands kfake's lines to zap. Its INFO is about single connections
// and rebalances, which is our DEBUG.
type brokerLog struct{ log *zap.Logger }

// slowCommit starts a line about every commit over 5 ms: with synced writes
// that is most of them. The commit histogram of the process role tells more.
const slowCommit = "txn: EndTxn slow"

// Logf implements kfake.Logger.
func (l brokerLog) Logf(level kfake.LogLevel, msg string, args ...any) {
	if strings.HasPrefix(msg, slowCommit) {
		level = kfake.LogLevelDebug
	}
	if ce := l.log.Check(zapLevel(level), "broker"); ce != nil {
		ce.Write(zap.String("detail", fmt.Sprintf(msg, args...)))
	}
}

func zapLevel(level kfake.LogLevel) zapcore.Level {
	switch level {
	case kfake.LogLevelError:
		return zapcore.ErrorLevel
	case kfake.LogLevelWarn:
		return zapcore.WarnLevel
	default:
		return zapcore.DebugLevel
	}
}
