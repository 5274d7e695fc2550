package pubsub

import (
	"context"
	"encoding/hex"
	"errors"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/sources"
	"plumbline.dev/services/internal/crm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// log is where events end; it decodes them as the door does.
type log struct {
	t  testing.TB
	mu sync.Mutex

	changes []*event.Change
	signals []*event.Signal
	bad     []string
	at      *event.Position
	lost    []*event.Position
	why     []string
	away    error
}

func (l *log) Take(body []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.away != nil {
		return l.away
	}
	r, err := sources.SalesforceCDC(body, sources.Meta{
		Hook: "stream:sf", System: "salesforce", Account: "00D000000000001EAA", ReceivedAt: 1_767_323_046_000,
	})
	require.NoError(l.t, err)
	for _, e := range r.Others {
		switch e := e.(type) {
		case *event.Change:
			l.changes = append(l.changes, e)
		case *event.Signal:
			l.signals = append(l.signals, e)
		}
	}
	for _, b := range r.Bad {
		l.bad = append(l.bad, b.Reason)
	}
	return nil
}

func (l *log) Mark(p *event.Position) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	require.NoError(l.t, p.Validate())
	if l.away != nil {
		return l.away
	}
	l.at = p
	return nil
}

func (l *log) Lost(p *event.Position) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost = append(l.lost, p)
	return l.away
}

func (l *log) Refused(why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.why = append(l.why, why)
}

func (l *log) look(what func() bool) func() bool {
	return func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return what()
	}
}

// session gives token-1, and token-2 when a fresh one is wanted.
type session struct{ token string }

func (s *session) Token(_ context.Context, fresh bool) (string, error) {
	if fresh {
		s.token = "token-2"
	}
	return s.token, nil
}
func (*session) Instance() string { return "https://acme.my.salesforce.com" }

// read runs a stream until the test, or the returned func, ends it.
func read(t testing.TB, o *org, l *log, from *event.Position) (stop func()) {
	t.Helper()
	s, err := New(Options{
		Name: "sf/data/ChangeEvents", Channel: "/data/ChangeEvents", Tenant: "00D000000000001EAA", Base: &url.URL{Scheme: "https", Host: o.addr},
		Dialer: crm.Dialer(true), Roots: o.roots, Session: &session{"token-1"}, Taker: l, From: from,
		idle: 20 * time.Second, backoff: 5 * time.Millisecond,
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Run(ctx) }()
	var once sync.Once
	stop = func() { once.Do(func() { cancel(); <-done }) }
	t.Cleanup(stop)
	return stop
}

const (
	patience = 30 * time.Second
	tick     = 5 * time.Millisecond
)

func position(n int) *event.Position {
	return &event.Position{Stream: "sf/data/ChangeEvents", At: hex.EncodeToString(replay(n)), SeenAt: 1}
}

// Bitmaps name the fields that changed, also those within compound ones and
// those set to nothing; times are text as everywhere else; the rest is silent.
func TestEventsSayWhatChanged(t *testing.T) {
	o, l := startOrg(t), &log{t: t}
	o.add(update(1, map[string]any{
		"Name": map[string]any{"FirstName": nil, "LastName": "Doe"}, "OtherAddress": map[string]any{"Street": nil, "City": "Bern"},
		"Birthdate": int64(946_684_800_000), "LastModifiedDate": int64(1_767_323_045_000), "Visits__c": int64(9_007_199_254_740_993),
	}, map[string]any{"changedFields": []string{"0x01D0", "1-0x02", "3-0x02"}, "nulledFields": []string{"0x10"}, "diffFields": []string{"0x10"}}))
	read(t, o, l, position(0))
	require.Eventually(t, l.look(func() bool { return len(l.changes) == 1 }), patience, tick)
	c := l.changes[0]
	require.Equal(t, []event.Field{
		{Name: "Birthdate", Value: event.Value{Text: "2000-01-01"}},
		{Name: "LastModifiedDate", Value: event.Value{Text: "2026-01-02T03:04:05.000Z"}},
		{Name: "LastName", Value: event.Value{Text: "Doe"}},
		{Name: "OtherCity", Value: event.Value{Text: "Bern"}},
		{Name: "Phone", Value: event.Value{Kind: event.KindNull}},
		{Name: "Visits__c", Value: event.Value{Kind: event.KindNumber, Text: "9007199254740993"}},
	}, c.Fields)
	require.Equal(t, "003000000000001AAA", c.RecordID)
	require.Equal(t, int64(1745500706683617281), c.Commit)
	require.Equal(t, "tx-1", c.Transaction)
	require.Equal(t, int64(1), c.Sequence)
	require.Equal(t, hex.EncodeToString(replay(1)), c.Position)
	require.Equal(t, event.Actor{Kind: event.ActorIntegration, ID: "005000000000001AAA"}, c.Actor)
}

// A new record has no list of changes: what it has is what is set.
func TestNewRecordsHaveWhatIsSet(t *testing.T) {
	o, l := startOrg(t), &log{t: t}
	o.add(update(1, map[string]any{"Name": "Doe", "Amount__c": 5.5}, map[string]any{"changeType": "CREATE"}))
	read(t, o, l, position(0))
	require.Eventually(t, l.look(func() bool { return len(l.changes) == 1 }), patience, tick)
	require.Equal(t, event.OpCreate, l.changes[0].Operation)
	require.Equal(t, []event.Field{
		{Name: "Amount__c", Value: event.Value{Kind: event.KindNumber, Text: "5.5"}}, {Name: "Name", Value: event.Value{Text: "Doe"}},
	}, l.changes[0].Fields)
}

// A gap, an overflow and bytes that nobody can read are told, and hold up nothing.
func TestGapsOverflowsAndRubbishAreTold(t *testing.T) {
	o, l := startOrg(t), &log{t: t}
	o.add(update(1, nil, map[string]any{"changeType": "GAP_UPDATE"}))
	o.add(update(2, nil, map[string]any{"changeType": "GAP_OVERFLOW", "recordIds": []string{}}))
	o.raw([]byte{0xff, 0xff, 0xff, 0xff, 0xff})
	o.add(update(4, nil, map[string]any{"changedFields": []string{"0xFFFFFF"}}))
	o.add(update(5, nil, nil))
	read(t, o, l, position(0))
	require.Eventually(t, l.look(func() bool { return len(l.changes) == 2 && l.at != nil && l.at.At == position(5).At }), patience, tick)
	require.Len(t, l.signals, 2)
	require.Contains(t, l.signals[0].Summary, "but not what")
	require.Equal(t, event.CompareWhole, l.signals[1].Detail[0].Value.Text)
	require.Len(t, l.bad, 2)
	require.Contains(t, l.bad[0], "cannot be decoded")
	require.Contains(t, l.bad[1], "bitmap")
}

// No more is asked for than can be made durable, and the schema is asked once.
func TestFlowIsControlled(t *testing.T) {
	o, l := startOrg(t), &log{t: t}
	for n := range 1000 {
		o.add(update(n, map[string]any{"Phone": "1"}, map[string]any{"changedFields": []string{"0x10"}}))
	}
	l.away = errors.New("the log is away")
	read(t, o, l, position(0))
	require.Eventually(t, l.look(func() bool { return len(l.why) > 2 }), patience, tick)
	require.Contains(t, l.why[0], "the log is away")
	l.mu.Lock()
	require.Nil(t, l.at, "no place is kept before what precedes it")
	l.away = nil
	l.mu.Unlock()
	require.Eventually(t, l.look(func() bool { return len(l.changes) == 1000 && l.at.At == position(1000).At }), patience, tick)
	o.mu.Lock()
	defer o.mu.Unlock()
	require.Equal(t, 1, o.schemas)
	require.Equal(t, int32(batch), o.requests[0].GetNumRequested())
}

// Streams that break again and again lose nothing and repeat nothing.
func TestBrokenStreamsGoOn(t *testing.T) {
	o, l := startOrg(t), &log{t: t}
	o.drop = 7
	for n := range 100 {
		o.add(update(n, nil, nil))
	}
	read(t, o, l, position(0))
	require.Eventually(t, l.look(func() bool { return len(l.changes) >= 100 }), patience, tick)
	ids := map[string]bool{}
	for _, c := range l.changes {
		ids[c.ID] = true
	}
	require.Len(t, ids, 100)
	require.Len(t, l.changes, 100, "the place was kept after each part")
}

// A reader that is ended anywhere and started where the kept place is misses
// nothing; what it repeats has the same id.
func TestRestartsSkipNothing(t *testing.T) {
	o, l := startOrg(t), &log{t: t}
	for n := range 400 {
		o.add(update(n, nil, nil))
	}
	for n := 1; ; n++ {
		l.mu.Lock()
		from, have := l.at, len(l.changes)
		l.mu.Unlock()
		if have >= 400 {
			break
		}
		if from == nil {
			from = position(0)
		}
		stop := read(t, o, l, from)
		require.Eventually(t, l.look(func() bool { return len(l.changes) > have }), patience, time.Millisecond)
		stop()
	}
	ids := map[string]bool{}
	for _, c := range l.changes {
		ids[c.ID] = true
	}
	require.Len(t, ids, 400)
}

// A first start takes what comes from now on, and keeps the place although
// nothing comes.
func TestFirstStartIsNow(t *testing.T) {
	o, l := startOrg(t), &log{t: t}
	o.add(update(1, nil, nil), update(2, nil, nil))
	o.quiet = true
	read(t, o, l, nil)
	require.Eventually(t, l.look(func() bool { return l.at != nil && l.at.At == position(2).At }), patience, tick)
	require.Empty(t, l.changes)
	o.add(update(3, nil, nil))
	require.Eventually(t, l.look(func() bool { return len(l.changes) == 1 }), patience, tick)
}

// A place that is older than Salesforce keeps: told first, then on with what
// is left.
func TestExpiredPlaceIsTold(t *testing.T) {
	o, l := startOrg(t), &log{t: t}
	for n := range 10 {
		o.add(update(n, nil, nil))
	}
	o.forgot = 6
	l.away = errors.New("the log is away")
	read(t, o, l, position(3))
	require.Eventually(t, l.look(func() bool { return len(l.lost) > 1 }), patience, tick, "told again until it is durable")
	l.mu.Lock()
	require.Empty(t, l.changes)
	l.away = nil
	l.mu.Unlock()
	require.Eventually(t, l.look(func() bool { return len(l.changes) == 4 }), patience, tick)
	require.Equal(t, position(3).At, l.lost[0].At)
}

// A refused token is renewed once at once.
func TestRefusedTokenIsRenewed(t *testing.T) {
	o, l := startOrg(t), &log{t: t}
	o.token = "token-2"
	o.add(update(1, nil, nil))
	read(t, o, l, position(0))
	require.Eventually(t, l.look(func() bool { return len(l.changes) == 1 }), patience, tick)
	require.Contains(t, l.why[0], "refuses the token")
}

// A server that nobody vouches for gets no token.
func TestUnknownServerIsRefused(t *testing.T) {
	o, l := startOrg(t), &log{t: t}
	_, o.roots = certificate(t)
	read(t, o, l, position(0))
	require.Eventually(t, l.look(func() bool { return len(l.why) > 0 && strings.Contains(l.why[0], "certificate") }), patience, tick)
	o.mu.Lock()
	defer o.mu.Unlock()
	require.Empty(t, o.requests)
}

// The .proto says what is on the wire: the published names and numbers.
func TestProtoIsThePublishedOne(t *testing.T) {
	b, err := os.ReadFile("pubsubpb/pubsub.proto")
	require.NoError(t, err)
	for _, line := range []string{
		"package eventbus.v1;", "rpc Subscribe(stream FetchRequest) returns (stream FetchResponse);", "rpc GetSchema(SchemaRequest) returns (SchemaInfo);",
		"string topic_name = 1;", "ReplayPreset replay_preset = 2;", "bytes replay_id = 3;", "int32 num_requested = 4;",
		"repeated ConsumerEvent events = 1;", "bytes latest_replay_id = 2;", "int32 pending_num_requested = 4;", "string schema_json = 1;",
	} {
		require.Contains(t, string(b), line)
	}
}

func FuzzEvent(f *testing.F) {
	x, err := parse(contactSchema)
	require.NoError(f, err)
	for _, e := range []map[string]any{update(1, nil, nil), update(2, map[string]any{"Name": "x"}, map[string]any{"changedFields": []string{"0x02", "1-0x01"}})} {
		b, err := contact.Encode(e)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = x.json(b) })
}
