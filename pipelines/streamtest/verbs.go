package streamtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"plumbline.dev/schemas/event"
)

// verbs make the event of a statement, as the stage before the input would
// have sent it, and its key.
var verbs = map[string]func(*statement) (event.Event, string, error){
	"change": (*statement).change, "attempt": (*statement).attempt, "observe": (*statement).observe,
	"link": (*statement).link, "signal": (*statement).signal, "calls": (*statement).calls, "click": (*statement).click,
	"compared": (*statement).compared,
}

// id is the option, or the line's number behind a letter.
func (st *statement) id(letter string) string { return st.o.text("id", letter+strconv.Itoa(st.number)) }

// integration is asked for by the key and by the event: an option is only told
// once.
func (st *statement) integration() string {
	if st.of == nil {
		of := st.o.text("integration", st.s.Settings["integration"])
		st.of = &of
	}
	return *st.of
}

// place is where a native record stands: in which system, on which side, and
// which canonical record it is.
type place struct {
	system, account, object, id string
	side, record, key           string
}

// place reads SYSTEM OBJECT RECORD [of SOURCE_ID].
func (st *statement) place() (place, error) {
	var p place
	set := st.s.Settings
	of := ""
	switch {
	case len(st.args) == 3:
	case len(st.args) == 5 && st.args[3] == "of":
		of = st.args[4]
	default:
		return p, fmt.Errorf("write SYSTEM OBJECT RECORD, and `of SOURCE_ID` for a record of the target")
	}
	p = place{system: st.args[0], object: st.args[1], id: st.args[2]}
	switch p.system {
	case set["source"]:
		p.side, p.account, p.record = event.Source, set["source_account"], p.id
	case set["target"]:
		p.side, p.account, p.record = event.Target, set["target_account"], of
	default:
		return p, fmt.Errorf("system %q is neither the source %s nor the target %s", p.system, set["source"], set["target"])
	}
	p.account = st.o.text("account", p.account)
	if set["input"] == "intake" {
		if of != "" {
			return p, fmt.Errorf("intake knows no `of`: finding it is resolve's work")
		}
		p.key, p.side, p.record = event.NativeKey(p.system, p.account, p.object, p.id), "", ""
		return p, nil
	}
	if p.side == event.Target && of == "" {
		return p, fmt.Errorf("a record of the target needs `of SOURCE_ID`, or `of -` where nobody knows")
	}
	if of != "" && p.side == event.Source {
		return p, fmt.Errorf("`of` is for records of the target %s", set["target"])
	}
	if p.record == "-" {
		p.record = ""
		p.key = event.RecordKey(st.integration(), p.object, "orphan/"+p.id)
		return p, nil
	}
	p.key = event.RecordKey(st.integration(), p.object, p.record)
	return p, nil
}

// facts gives a value that only resolve knows.
func (st *statement) facts(v string) string {
	if st.s.Settings["input"] == "facts" {
		return v
	}
	return ""
}

func (st *statement) change() (event.Event, string, error) {
	p, err := st.place()
	o := st.o
	c := &event.Change{
		ID: st.id("c"), Tenant: st.facts(st.s.Settings["tenant"]), Integration: st.facts(st.integration()),
		Side: p.side, RecordKey: p.record, Hook: o.text("hook", ""), System: p.system, Account: p.account,
		Object: p.object, RecordID: p.id, Operation: o.text("op", event.OpUpdate), ChangedAt: st.at,
		ReceivedAt: st.came, TimeBasis: o.text("basis", event.TimeEvent), Redelivery: int(o.number("redelivery")),
		Fields: o.fields, Actor: o.actor, Token: o.text("token", ""), ExternalID: o.text("external", ""),
		MergedInto: o.text("merged_into", ""), MergedIDs: o.list("merged_ids"), RelatedID: o.text("related", ""),
		Relation: o.text("relation", ""), Removed: o.yes("removed"), BodyHash: uint64(o.number("body")),
		Commit: o.number("commit"), Transaction: o.text("transaction", ""), Sequence: o.number("sequence"), Position: o.text("position", ""),
	}
	return c, p.key, err
}

func (st *statement) attempt() (event.Event, string, error) {
	set, o := st.s.Settings, st.o
	if len(st.args) != 5 || st.args[2] != "->" || !slices.Contains([]string{event.OutcomeOK, event.OutcomeError}, st.args[4]) {
		return nil, "", fmt.Errorf("write attempt OPERATION SOURCE_ID -> TARGET_ID ok (or error); - is an id nobody knows")
	}
	source, target := known(st.args[1]), known(st.args[3])
	a := &event.Attempt{
		ID: st.id("a"), Tenant: st.facts(set["tenant"]), Integration: st.integration(), Sender: o.text("sender", ""),
		OccurredAt: st.at, ReceivedAt: st.came, System: o.text("system", set["target"]),
		Object: o.text("object", set["object"]), Operation: st.args[0], SourceID: source, TargetID: target,
		ChangeID: o.text("change", ""), CallID: o.text("call", ""), Try: int(o.number("try")),
		RetryOf: o.text("retry_of", ""), Granularity: o.text("granularity", ""), RecordsOK: o.number("records_ok"),
		RecordsFailed: o.number("records_failed"), Status: int(o.number("status")), Code: o.text("code", ""),
		Message: o.text("message", ""), DurationMS: o.number("duration"), Outcome: st.args[4], Actor: o.actor,
		Token: o.text("token", ""), Fields: o.fields, BodyHash: uint64(o.number("body")),
	}
	switch {
	case set["input"] == "intake" && source != "":
		return a, event.NativeKey(set["source"], set["source_account"], a.Object, source), nil
	case set["input"] == "intake" && target != "":
		return a, event.NativeKey(set["target"], set["target_account"], a.Object, target), nil
	case source == "":
		return a, a.Integration + "/unlinked", nil
	}
	a.RecordKey = source
	if a.ChangeID != "" {
		a.DeliveryID = event.DeliveryID(a.Integration, a.Object, source, a.ChangeID)
	}
	return a, event.RecordKey(a.Integration, a.Object, source), nil
}

func (st *statement) observe() (event.Event, string, error) {
	p, err := st.place()
	o := st.o
	b := &event.Observation{
		ID: st.id("o"), Tenant: st.facts(st.s.Settings["tenant"]), Integration: st.integration(), Side: p.side,
		RecordKey: p.record, System: p.system, Account: p.account, Object: p.object, RecordID: p.id,
		ObservedAt: st.at, ReceivedAt: st.came, ModifiedAt: o.time("modified"), ResolutionMS: o.number("resolution"),
		FoundBy: o.text("found", event.FoundByPoll), Whole: o.yes("whole"), Missing: o.yes("missing"), OutOfScope: o.yes("out"),
		Duplicates: o.list("duplicates"),
		Fields:     o.fields, Writer: o.actor, ExternalID: o.text("external", ""), BodyHash: uint64(o.number("body")),
	}
	return b, p.key, err
}

func (st *statement) link() (event.Event, string, error) {
	set, o := st.s.Settings, st.o
	if len(st.args) != 3 || st.args[1] != "->" {
		return nil, "", fmt.Errorf("write link SOURCE_ID -> TARGET_ID")
	}
	l := &event.Link{
		Tenant: set["tenant"], Integration: st.integration(), Object: o.text("object", set["object"]),
		SourceID: st.args[0], TargetID: st.args[2], TargetType: o.text("type", ""),
		LearnedFrom: o.text("from", "attempt"), LearnedAt: st.at, Rival: o.text("rival", ""), Gone: o.yes("gone"),
		MovedTo: o.text("moved_to", ""),
	}
	l.SourceID, l.TargetID = known(l.SourceID), known(l.TargetID)
	key, atSource := o.text("keyed", ""), o.yes("at_source")
	switch {
	case set["input"] == "facts":
		return l, event.RecordKey(l.Integration, l.Object, l.SourceID), nil
	case key != "":
		l.Key = event.Hash("key", key)
		return l, "key/" + l.Integration + "/" + l.Object + "/" + l.Key, nil
	case atSource || l.MovedTo != "":
		return l, event.NativeKey(set["source"], set["source_account"], l.Object, l.SourceID), nil
	}
	if l.TargetType == "" {
		return nil, "", fmt.Errorf("a link on intake needs type=, the target's own name of the object")
	}
	return l, event.NativeKey(set["target"], set["target_account"], l.TargetType, l.TargetID), nil
}

func (st *statement) signal() (event.Event, string, error) {
	set, o := st.s.Settings, st.o
	if len(st.args) != 1 {
		return nil, "", fmt.Errorf("write signal KIND")
	}
	s := &event.Signal{
		ID: st.id("s"), Tenant: st.facts(set["tenant"]), Integration: st.integration(), Kind: st.args[0],
		System: o.text("system", ""), Object: o.text("object", ""), Field: o.text("field", ""), StartedAt: st.at,
		EndedAt: o.time("until"), ReceivedAt: st.came, Summary: o.text("summary", ""), Detail: o.fields,
		Actor: o.actor, Token: o.text("token", ""), BodyHash: uint64(o.number("body")),
	}
	return s, s.Integration, nil
}

// click is about a record where it names one: then its subject may be the
// record's divergence, KIND or KIND:FIELD.
func (st *statement) click() (event.Event, string, error) {
	set, o := st.s.Settings, st.o
	if len(st.args) != 2 {
		return nil, "", fmt.Errorf("write click KIND SUBJECT, and of=SOURCE_ID for a record; a divergence is KIND or KIND:FIELD")
	}
	c := &event.Click{
		ID: st.id("k"), Tenant: st.facts(set["tenant"]), Integration: st.integration(), Kind: st.args[0], Subject: st.args[1],
		RecordKey: o.text("of", ""), Step: o.text("step", ""), Result: o.text("result", ""), Reason: o.text("reason", ""),
		By: o.text("who", "ann"), At: st.at, Until: o.time("until"), ReceivedAt: st.came, BodyHash: uint64(o.number("body")),
	}
	if c.RecordKey == "" {
		return c, c.Tenant, nil
	}
	c.Object = o.text("object", set["object"])
	kind, field, _ := strings.Cut(c.Subject, ":")
	if slices.Contains(event.DivergenceKinds, kind) {
		c.Subject = event.DivergenceID(c.Integration, c.Object, c.RecordKey, field, kind)
	}
	return c, event.RecordKey(c.Integration, c.Object, c.RecordKey), nil
}

// compared is a comparison of a whole set that is over, or a set that waits
// for its first: compared OBJECT N of RECORDS.
func (st *statement) compared() (event.Event, string, error) {
	o := st.o
	if len(st.args) != 4 || st.args[2] != "of" {
		return nil, "", fmt.Errorf("write compared OBJECT N of RECORDS, and field= for a field's set")
	}
	n, err := strconv.ParseInt(st.args[1], 10, 64)
	all, wrong := strconv.ParseInt(st.args[3], 10, 64)
	if err != nil || wrong != nil {
		return nil, "", fmt.Errorf("write compared OBJECT N of RECORDS: N and RECORDS are numbers")
	}
	r := &event.Reconciliation{
		ID: st.id("r"), Tenant: st.s.Settings["tenant"], Integration: st.integration(), Object: st.args[0], Field: o.text("field", ""),
		Run: o.text("run", st.id("run")), State: o.text("state", event.RunComplete), Critical: !o.yes("uncritical"),
		ScheduleMS: int64(event.Day), StartedAt: st.at, EndedAt: st.at, SourceRecords: all, Compared: n,
		ComparedThrough: st.at, UpdatedAt: st.at, Version: uint64(st.at),
	}
	if h := o.number("hours"); h > 0 {
		r.ScheduleMS = h * int64(event.Hour)
	}
	if all > 0 {
		r.Share = float64(n) / float64(all)
	}
	if r.State == event.RunPlanned || r.State == event.RunFailed {
		r.ComparedThrough = 0
	}
	return r, r.Tenant, nil
}

// known turns the mark for an id nobody knows into none.
func known(id string) string {
	if id == "-" {
		return ""
	}
	return id
}
