package event

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestValidateAccepts(t *testing.T) {
	for _, typ := range types {
		require.NoError(t, valid(typ).Validate(), typ)
	}
}

// Every field that valid sets is required: with it missing, the error names it.
func TestValidateNamesWhatIsMissing(t *testing.T) {
	names := map[string]string{"Operation": "operation", "Verdict": "class"} // unlike their names on the wire
	for _, typ := range types {
		fields := reflect.TypeOf(valid(typ)).Elem()
		for i := range fields.NumField() {
			e := valid(typ)
			v := reflect.ValueOf(e).Elem().Field(i)
			if v.IsZero() {
				continue
			}
			tag := fields.Field(i).Tag
			name, _, _ := strings.Cut(tag.Get("msg")+tag.Get("json"), ",")
			if other, ok := names[fields.Field(i).Name]; ok {
				name = other
			}
			v.SetZero()
			t.Run(string(typ)+" without "+name, func(t *testing.T) {
				err := e.Validate()
				require.ErrorIs(t, err, ErrInvalid)
				require.ErrorContains(t, err, name)
			})
		}
	}
}

func TestValidateRefuses(t *testing.T) {
	change := func(f func(*Change)) Event {
		c := valid(TypeChange).(*Change)
		f(c)
		return c
	}
	attempt := func(f func(*Attempt)) Event {
		a := valid(TypeAttempt).(*Attempt)
		f(a)
		return a
	}
	many := make([]Field, MaxFields+1)
	tests := map[string]struct {
		e    Event
		want string
	}{
		"id with separator":     {change(func(c *Change) { c.ID = "a\x1fb" }), "id contains a control character"},
		"id with newline":       {change(func(c *Change) { c.RecordID = "1\n" }), "record_id contains a control character"},
		"long id":               {change(func(c *Change) { c.ID = strings.Repeat("x", 513) }), "id is longer than 512 bytes"},
		"merged id":             {change(func(c *Change) { c.MergedIDs = []string{"1", "\x1f"} }), "merged_ids contains"},
		"merged into":           {change(func(c *Change) { c.MergedInto = "\x00" }), "merged_into contains"},
		"operation of attempts": {change(func(c *Change) { c.Operation = OpUpsert }), "want one of create, update"},
		"time before 1970":      {change(func(c *Change) { c.ChangedAt = -1 }), "changed_at is missing or before 1970"},
		"change id":             {attempt(func(a *Attempt) { a.ChangeID = "c\x1f" }), "change_id contains"},
		"outcome":               {attempt(func(a *Attempt) { a.Outcome = "maybe" }), `outcome is "maybe", want one of ok, error`},
		"granularity":           {attempt(func(a *Attempt) { a.Granularity = "batch" }), "granularity"},
		"headers":               {attempt(func(a *Attempt) { a.Headers = many }), "headers has 8193 entries"},
		"observation's fields": {&Observation{
			ID: "o", Integration: "i", System: "s", Object: "o", RecordID: "1", ObservedAt: 1, Fields: many,
		}, "fields has 8193 entries"},
		"signal's detail": {&Signal{ID: "s", Kind: SignalQuota, StartedAt: 1, Detail: many}, "detail has 8193"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := tt.e.Validate()
			require.ErrorIs(t, err, ErrInvalid)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestEveryWordOfAListIsAccepted(t *testing.T) {
	for _, op := range ChangeOps {
		c := valid(TypeChange).(*Change)
		c.Operation = op
		require.NoError(t, c.Validate(), op)
	}
	for _, op := range AttemptOps {
		a := valid(TypeAttempt).(*Attempt)
		a.Operation = op
		require.NoError(t, a.Validate(), op)
	}
	for _, state := range DeliveryStates {
		d := valid(TypeDelivery).(*Delivery)
		d.State = state
		require.NoError(t, d.Validate(), state)
	}
	for _, kind := range SignalKinds {
		s := valid(TypeSignal).(*Signal)
		s.Kind = kind
		require.NoError(t, s.Validate(), kind)
	}
}

func TestIsWrite(t *testing.T) {
	writes := map[string]bool{
		OpCreate: true, OpUpdate: true, OpUpsert: true, OpDelete: true,
		OpRead: false, OpAuthRefresh: false, OpWebhook: false, "": false,
	}
	for op, want := range writes {
		require.Equal(t, want, IsWrite(op), op)
	}
}
