package streamtest_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/pipelines/streamtest"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

const day = event.Time(1_767_225_600_000) // 2026-01-01, the default date

func TestParseEvents(t *testing.T) {
	const ten = day + 10*event.Hour
	tests := map[string]struct {
		set, line, key string
		want           event.Event
	}{
		"change": {
			"", `at 10:00:00 change hubspot contact 101 .name="Ann Lee" .age:number=7 .zip:null id=c1 by user:7 token=t1`,
			"hs-sf/contact/101",
			&event.Change{
				ID: "c1", Tenant: "default", Integration: "hs-sf", Side: event.Source, RecordKey: "101", System: "hubspot",
				Account: "62515", Object: "contact", RecordID: "101", Operation: event.OpUpdate, ChangedAt: ten, ReceivedAt: ten,
				TimeBasis: event.TimeEvent, Actor: event.Actor{Kind: "user", ID: "7"}, Token: "t1",
				Fields: []event.Field{
					{Name: "age", Value: event.Value{Kind: event.KindNumber, Text: "7"}},
					{Name: "name", Value: event.Value{Text: "Ann Lee"}},
					{Name: "zip", Value: event.Value{Kind: event.KindNull}},
				},
			},
		},
		"late echo": {
			"set target=sf target_account=00D", `at 2026-01-02T10:00:00.5 late 90s change sf contact 003A of 101 op=merge merged_ids=8,9`,
			"hs-sf/contact/101",
			&event.Change{
				ID: "c2", Tenant: "default", Integration: "hs-sf", Side: event.Target, RecordKey: "101", System: "sf",
				Account: "00D", Object: "contact", RecordID: "003A", Operation: event.OpMerge, TimeBasis: event.TimeEvent,
				ChangedAt: ten + event.Day + 500, ReceivedAt: ten + event.Day + 90_500, MergedIDs: []string{"8", "9"},
			},
		},
		"orphan": {
			"", `at 10:00 observe salesforce contact 003A of - found=reconcile whole=yes modified=09:59 by agent:x:run:1`,
			"hs-sf/contact/orphan/003A",
			&event.Observation{
				ID: "o2", Tenant: "default", Integration: "hs-sf", Side: event.Target, System: "salesforce",
				Account: "00D000000000001EAA", Object: "contact", RecordID: "003A", ObservedAt: ten, ReceivedAt: ten,
				ModifiedAt: ten - event.Minute, FoundBy: event.FoundByReconcile, Whole: true,
				Writer: event.Actor{Kind: "agent", ID: "x", Run: "run:1"},
			},
		},
		"attempt": {
			"", `at 10:00:00 attempt update 101 -> 003A error change=c1 status=400 code=INVALID message="no such option" try=2`,
			"hs-sf/contact/101",
			&event.Attempt{
				ID: "a2", Tenant: "default", Integration: "hs-sf", RecordKey: "101", OccurredAt: ten, ReceivedAt: ten,
				DeliveryID: event.DeliveryID("hs-sf", "contact", "101", "c1"), System: "salesforce", Object: "contact",
				Operation: event.OpUpdate, SourceID: "101", TargetID: "003A", ChangeID: "c1", Try: 2, Status: 400,
				Code: "INVALID", Message: "no such option", Outcome: event.OutcomeError,
			},
		},
		"unlinked attempt": {
			"", `at 10:00:00 attempt create - -> - ok`, "hs-sf/unlinked",
			&event.Attempt{
				ID: "a2", Tenant: "default", Integration: "hs-sf", OccurredAt: ten, ReceivedAt: ten, System: "salesforce",
				Object: "contact", Operation: event.OpCreate, Outcome: event.OutcomeOK,
			},
		},
		"attempt on intake": {
			"set input=intake", `at 10:00:00 attempt create - -> 003A ok`, "salesforce/00D000000000001EAA/contact/003A",
			&event.Attempt{
				ID: "a2", Integration: "hs-sf", OccurredAt: ten, ReceivedAt: ten, System: "salesforce", Object: "contact",
				Operation: event.OpCreate, TargetID: "003A", Outcome: event.OutcomeOK,
			},
		},
		"change on intake": {
			"set input=intake", `at 10:00:00 change salesforce Contact 003A`, "salesforce/00D000000000001EAA/Contact/003A",
			&event.Change{
				ID: "c2", System: "salesforce", Account: "00D000000000001EAA", Object: "Contact", RecordID: "003A",
				Operation: event.OpUpdate, ChangedAt: ten, ReceivedAt: ten, TimeBasis: event.TimeEvent,
			},
		},
		"link on intake": {
			"set input=intake", `at 10:00:00 link 101 -> 003A type=Lead from=key`, "salesforce/00D000000000001EAA/Lead/003A",
			&event.Link{
				Tenant: "default", Integration: "hs-sf", Object: "contact", SourceID: "101", TargetID: "003A",
				TargetType: "Lead", LearnedFrom: "key", LearnedAt: ten,
			},
		},
		"signal": {
			"", `at 10:00:00 signal deploy summary="release 12" until=11:00 key=elsewhere`, "elsewhere",
			&event.Signal{
				ID: "s2", Tenant: "default", Integration: "hs-sf", Kind: event.SignalDeploy, StartedAt: ten,
				EndedAt: ten + event.Hour, ReceivedAt: ten, Summary: "release 12",
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s, err := streamtest.Parse("x.txt", tt.set+"\n"+tt.line+"\n---- expect\n")
			require.NoError(t, err)
			require.Len(t, s.Sections[0].Lines, 1)
			records := s.Sections[0].Lines[0].Records
			require.Len(t, records, 1)
			require.Equal(t, tt.want, records[0].Event)
			require.Equal(t, tt.key, records[0].Key)
			require.Equal(t, topic.Prefix+s.Settings["input"], records[0].Topic)
		})
	}
}

func TestParseTicks(t *testing.T) {
	parse := func(line string) []stream.Record {
		s, err := streamtest.Parse("x.txt", "set partitions=3\n"+line+"\n---- expect\n")
		require.NoError(t, err)
		return s.Sections[0].Lines[0].Records
	}
	require.Len(t, parse("tick 10:00:00"), 3, "one for each partition")
	require.Len(t, parse("tick 10:00:00 to 10:01:00 every 30s"), 9)
	only := parse("tick 10:00:00 to 10:01:00 every 45s on=2")
	require.Len(t, only, 2)
	require.EqualValues(t, 2, only[1].Partition)
	require.Equal(t, &event.Tick{At: day + 10*event.Hour + 45*event.Second}, only[1].Event)
}

func TestParsePlacesRecords(t *testing.T) {
	s, err := streamtest.Parse("x.txt", `set partitions=4
at 10:00:00 change hubspot contact 101 on=3 cause=intake/1/2/3
at 10:00:00 change hubspot contact 101
at 10:00:01 change salesforce contact 003A of 101
---- expect
`)
	require.NoError(t, err)
	lines := s.Sections[0].Lines
	require.EqualValues(t, 3, lines[0].Records[0].Partition)
	require.Equal(t, topic.Cause{Topic: topic.Intake, Partition: 1, Offset: 2, N: 3}, lines[0].Records[0].Cause)
	require.Equal(t, lines[1].Records[0].Partition, lines[2].Records[0].Partition, "one record, one partition")
}

func TestParseErrors(t *testing.T) {
	const change = "at 10:00:00 change hubspot contact 101"
	tests := []struct{ text, want string }{
		{"", "x.txt:1: the scenario does not end with"},
		{change, "x.txt:1: the scenario does not end with"},
		{"---- expect\n---- then\n" + change, "x.txt:3: the scenario does not end with"},
		{"\n# fine\nwait 5s", `x.txt:3: "wait" is no statement: there are at, tick and set`},
		{"at 10:00:00", "x.txt:1: write at TIME, then what happened: attempt, calls, change, click, compared, link, observe, signal"},
		{"at noon change hubspot contact 101", `"noon" is not a time: write 10:00:00`},
		{"at 25:00:00 change hubspot contact 101", `"25:00:00" is not a time`},
		{"at 10:00:00 late soon change hubspot contact 1", `"soon" is not a span of time: write 90s`},
		{"at 10:00:00 chnage hubspot contact 101", `"chnage" is no event: there are attempt, calls, change`},
		{change + " filds=1", `no option is called "filds" here: there are account, basis, body, cause,`},
		{change + " id=a id=b", "id= stands twice"},
		{change + " .a=1 .a=2", "field .a stands twice"},
		{change + " .a:text=1", "field .a:text: write .name=text"},
		{change + " .=1", "field .:"},
		{change + ` .a="open`, "a quote does not end"},
		{change + " by", "by needs an actor"},
		{change + " by robot:7", `actor "robot:7": the kind is one of user,`},
		{change + " redelivery=x", "redelivery=x is not a whole number"},
		{change + " removed=true", "removed=true: write yes or no"},
		{change + " on=1", "on=1: partitions are 0 to 0"},
		{change + " cause=intake", `cause "intake" is not topic/partition/offset/n`},
		{change + " op=upsert", `operation is "upsert", want one of create`},
		{"at 10:00:00 change zoho contact 1", `system "zoho" is neither the source hubspot nor the target salesforce`},
		{"at 10:00:00 change hubspot contact", "write SYSTEM OBJECT RECORD"},
		{"at 10:00:00 change salesforce contact 003A", "a record of the target needs `of SOURCE_ID`"},
		{change + " of 102", "`of` is for records of the target salesforce"},
		{"set input=intake\n" + change + " of 102", "x.txt:2: intake knows no `of`"},
		{"set input=intake\nat 10:00:00 link 1 -> 2", "a link on intake needs type="},
		{"at 10:00:00 link 1 2", "write link SOURCE_ID -> TARGET_ID"},
		{"at 10:00:00 signal", "write signal KIND"},
		{"at 10:00:00 signal party", `kind is "party", want one of vendor_incident`},
		{"at 10:00:00 attempt update 101 -> 003A", "write attempt OPERATION SOURCE_ID -> TARGET_ID ok (or error)"},
		{"at 10:00:00 attempt update 101 to 003A ok", "write attempt OPERATION"},
		{"at 10:00:00 observe hubspot contact 1 modified=x", `modified: "x" is not a time`},
		{"tick", "write tick TIME"},
		{"tick 10:00:00 to 11:00:00", "write tick TIME"},
		{"tick 10:00:00 to 11:00:00 every 0s", "are none or too many"},
		{"tick 11:00:00 to 10:00:00 every 1s", "are none or too many"},
		{"tick 10:00:00 to 2036-01-01T00:00:00 every 1ms", "are none or too many"},
		{"tick 10:00:00 on=4", "on=4: partitions are 0 to 0"},
		{"set partitions=0", `partitions is "0", want 1 to 64`},
		{"set partitions=65", "want 1 to 64"},
		{"set date=today", `date is "today"`},
		{"set input=output", `input is "output", want facts, intake or partials`},
		{"set color=red", `no setting is called "color": there are date, input,`},
		{"set partitions", `no setting is called "partitions"`},
		{change + "\nset object=deal", "x.txt:2: set comes before the first event"},
		{"---- then", `"---- then" without "---- expect" before it`},
		{"---- expect\n---- expect", "x.txt:2: an expectation stands already"},
		{"---- expected", `"---- expected": write "---- expect" or "---- then"`},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			_, err := streamtest.Parse("x.txt", tt.text)
			require.ErrorContains(t, err, tt.want)
			require.Regexp(t, `^x\.txt:\d+: `, err.Error())
		})
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(f, err)
	for _, file := range files {
		f.Add(string(read(&testing.T{}, file)))
	}
	f.Add("set partitions=64\ntick 00:00 to 23:59 every 1s\n---- expect\nx\n\n---- then\n---- expect")
	f.Add("at 10:00:00 late 1h observe salesforce contact 003A of - .a:json=\"[1]\" whole=yes\n---- expect\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := streamtest.Parse("x.txt", text, "deadline")
		if err != nil {
			require.Regexp(t, `^x\.txt:\d+: `, err.Error())
			return
		}
		for _, section := range s.Sections {
			for _, line := range section.Lines {
				for _, r := range line.Records {
					require.NoError(t, r.Event.Validate())
				}
			}
		}
	})
}
