package streamtest

import (
	"fmt"
	"slices"
	"strconv"

	"plumbline.dev/schemas/event"
)

// calls is a partial: what an integration called in one second, OK of them well
// and BAD of them with failures of one class.
func (st *statement) calls() (event.Event, string, error) {
	o := st.o
	if len(st.args) != 2 && len(st.args) != 4 {
		return nil, "", fmt.Errorf("write calls PROVIDER OK, or calls PROVIDER OK CLASS BAD")
	}
	ok, err := strconv.ParseInt(st.args[1], 10, 64)
	if err != nil {
		return nil, "", fmt.Errorf("calls: %q is not a number", st.args[1])
	}
	second := st.at - st.at%event.Second
	minute := st.at - st.at%event.Minute
	p := &event.Partial{
		Tenant: o.text("tenant", st.s.Settings["tenant"]), Integration: st.integration(), Provider: st.args[0],
		Object: o.text("object", st.s.Settings["object"]), Token: o.text("token", ""), Actor: o.actor, Second: second,
	}
	op := o.text("op", event.OpUpdate)
	if ok > 0 {
		p.Attempts = append(p.Attempts, event.AttemptCount{Minute: minute, Operation: op, Outcome: event.OutcomeOK, N: ok})
	}
	if len(st.args) == 4 {
		err = st.failures(p, op, minute)
	}
	return p, p.Integration, err
}

func (st *statement) failures(p *event.Partial, op string, minute event.Time) error {
	o := st.o
	class := st.args[2]
	bad, err := strconv.ParseInt(st.args[3], 10, 64)
	if err != nil || bad < 1 || !slices.Contains(event.Classes, class) {
		return fmt.Errorf("calls: %s %s is no class and number", class, st.args[3])
	}
	recoverability := event.Temporary
	if class == event.ClassAuth || class == event.ClassSchema || class == event.ClassDuplicate || class == event.ClassOther {
		recoverability = event.Permanent
	}
	p.Attempts = append(p.Attempts, event.AttemptCount{Minute: minute, Operation: op, Outcome: event.OutcomeError, N: bad})
	p.Failures = append(p.Failures, event.FailureCount{
		Minute: minute, Fingerprint: class, Class: class, Recoverability: o.text("rec", recoverability),
		Attribution: o.text("att", event.ByUnknown), Origin: event.OriginError, Operation: op,
		Status: int(o.number("status")), N: bad, Unlinked: bad, First: st.at, Last: st.at,
	})
	return nil
}
