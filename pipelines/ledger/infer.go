package ledger

import (
	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// classOf infers why a value did not arrive from how it differs (runbooks.md).
func classOf(g *Gap, o *Open) string {
	switch g.D.Difference {
	case value.Coerced, value.Truncated, value.PicklistDiff, value.BlankInTarget, value.Owner, value.Association:
		return event.ClassSchema
	}
	switch {
	case o == nil:
		return ""
	case o.partial(), o.Coerced:
		return event.ClassSchema
	}
	return event.ClassOther
}

// partial reports whether some fields of the change arrived and others did not.
func (o *Open) partial() bool {
	shown := false
	for i := range o.Wants {
		shown = shown || o.Wants[i].Shown
	}
	return shown
}

// silent confirms what the sync user was seen to write in place of the value,
// now that its deadline has passed. What is not there has no fields that differ.
func (f *folding) silent(o *Open) {
	if f.record(true).gone || f.record(false).gone {
		return
	}
	for i := range o.Wants {
		w := &o.Wants[i]
		source := f.field(w.Target, true)
		if w.Saw == nil || !w.pending() || !source.known {
			continue
		}
		if !w.Named && f.m.excused(w.Target, source.value, w.Saw.Value) {
			continue // the field's rule lets it stand
		}
		shown := held{known: true, value: w.Saw.Value, at: w.Saw.At, moved: w.Saw.Moved, writer: w.Saw.Writer}
		if equal, difference := f.m.equal(w.Target, source.value, shown.value); !equal {
			f.proven = append(f.proven[:0], proof{w.Target, o.D.ChangeID})
			f.differ(event.ValueMismatch, w.Target, difference, source, shown, &Evidence{At: w.Saw.At, FoundBy: event.FoundByEcho})
		}
	}
	f.proven = f.proven[:0]
}

// infer tells of a silent failure: the sync said that it wrote, or nobody says
// anything, and the value is not there.
func (f *folding) infer(g *Gap, o *Open) {
	silent := o.D.State == event.StateNotApplied || o.D.State == event.StateStalled && f.m.silent()
	if o.Silent || !silent {
		return
	}
	o.Silent = true
	in := f.m.integration
	system := in.Target.System
	if o.D.Reverse {
		system = in.Source.System
	}
	v := event.Verdict{
		Class: g.D.Class, Recoverability: event.Temporary, Attribution: event.ByUnknown, Confidence: 0.5, Rule: "inferred/" + g.D.Kind,
		Evidence:    evidenceOf(g, o),
		Fingerprint: fingerprint(g, system, f.m.object.Name),
		LikelyCause: causes[g.D.Class], FirstStep: firstSteps[g.D.Class], Version: "inferred-1",
	}
	if v.Class == event.ClassSchema {
		v.Recoverability, v.Attribution, v.Confidence = event.Permanent, event.ByCustomer, 0.7
	}
	f.out.Emit(topic.Failures, f.whole, &event.Failure{
		ID: event.Hash("failure", "inferred", f.deliveryID(o)), Tenant: in.Tenant, Integration: in.ID,
		DeliveryID: f.deliveryID(o), RecordKey: f.key, SourceID: g.D.SourceID, TargetID: o.D.TargetID, Provider: system,
		Object: f.m.object.Name, Operation: o.D.Operation, OccurredAt: max(o.D.AcknowledgedAt, o.D.ChangedAt), ReceivedAt: f.clock,
		Origin: event.OriginInferred, Code: g.D.Difference, Actor: o.D.Actor, Verdict: v, Version: f.ctx.Version,
	})
}

// fingerprint joins what is one trouble: a value that a field cannot hold is
// that field's, a write that was lost is the sync's, whichever field it carried.
func fingerprint(g *Gap, system, object string) string {
	if g.D.Class == event.ClassSchema {
		return event.Hash("inferred", g.D.Class, system, object, g.D.Field, g.D.Difference)[:16]
	}
	return event.Hash("inferred", g.D.Class, system, object)[:16]
}

func evidenceOf(g *Gap, o *Open) string {
	what := "the target does not hold the record"
	switch {
	case g.D.Kind == event.MissingInSource:
		what = "the target still holds the record"
	case g.D.Difference != "":
		what = "the target holds another value (" + g.D.Difference + ")"
	}
	if o.D.AcknowledgedAt != 0 {
		return "acknowledged, and after the deadline " + what
	}
	return "nobody reported an error, and after the deadline " + what
}

var causes = map[string]string{
	event.ClassSchema:    "a field is mapped to one that cannot hold the value",
	event.ClassDuplicate: "another record holds the key",
	event.ClassOther:     "the write was lost after it was accepted",
}

var firstSteps = map[string]string{
	event.ClassSchema:    "compare the map with the target's current schema, then update the mapping",
	event.ClassDuplicate: "agree on a unique key, then clean up the records listed",
	event.ClassOther:     "open the record in both systems; if the target never took the value, resync it and ask the sync's owner",
}
