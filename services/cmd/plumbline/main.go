// Command plumbline is the whole product: every role and tool in one binary.
package main

import (
	"errors"
	"fmt"
	"os"
	_ "time/tzdata" // zones of digests, where the machine has none

	"github.com/spf13/cobra"
	"plumbline.dev/services/embedded/clickhouse"
	cfgload "plumbline.dev/services/internal/config"
)

func main() {
	// The embedded engine is this very binary, started again as its own child.
	if clickhouse.IsChild(os.Args) {
		os.Exit(clickhouse.ChildMain(os.Args))
	}
	os.Exit(run(os.Args[1:]))
}

// Exit codes (design §4).
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// errUsage marks wrong usage, as against a failure while doing.
var errUsage = errors.New("wrong usage")

func run(args []string) int {
	root := newRoot()
	root.SetArgs(args)
	cmd, err := root.ExecuteC()
	if err == nil {
		if !cmd.HasParent() {
			_ = cmd.Usage()
			return exitUsage
		}
		return exitOK
	}
	return report(cmd, err)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "plumbline",
		Short:         "Tells whether the copies of your CRM records are true",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return errors.Join(errUsage, err) })
	root.AddCommand(upCommand(), configCommand(), topicsCommand(), schemaCommand(), classifyCommand(), doctorCommand(), versionCommand())
	root.AddCommand(simulateCommand(), evaluateCommand())
	root.AddCommand(diffCommand())
	root.AddCommand(initCommand(), importCommand(), replayCommand())
	root.AddCommand(agentCommand(), resyncCommand(), tokenCommand())
	root.AddCommand(alertsCommand(), runbookCommand())
	root.AddCommand(deadLettersCommand(), exportCommand(), eraseCommand(), backupCommand(), restoreCommand())
	root.AddCommand(roleCommands()...)
	return root
}

// report says what went wrong in a line each, and what to do.
func report(cmd *cobra.Command, err error) int {
	if _, ok := errors.AsType[*cfgload.Error](err); ok {
		for _, line := range cfgload.Lines(err) {
			fmt.Fprintln(os.Stderr, line)
		}
		return exitUsage
	}
	if _, ok := errors.AsType[errQuiet](err); ok {
		return exitFailed
	}
	fmt.Fprintf(os.Stderr, "plumbline: %s\n", oneLine(err))
	if _, ok := errors.AsType[errTrouble](err); ok {
		return exitUsage
	}
	if isUsage(err) {
		fmt.Fprintf(os.Stderr, "see `%s --help`\n", cmd.CommandPath())
		return exitUsage
	}
	return exitFailed
}

// errQuiet is a failure that was already reported, line by line.
type errQuiet struct{ error }
