package wire

import (
	"fmt"

	"plumbline.dev/schemas/event"
)

const at = event.Time(1_767_264_000_123)

// change is an update of twelve properties, two of them hashed.
func change() *event.Change {
	c := &event.Change{
		ID: "62515-3816279480-1767264000123", Tenant: "default", Integration: "hubspot-salesforce", Side: event.Source,
		RecordKey: "15160932441", Hook: "hubspot-main", System: "hubspot", Account: "62515", Object: "contact",
		RecordID: "15160932441", Operation: event.OpUpdate, ChangedAt: at, ReceivedAt: at + 412,
		TimeBasis: event.TimeEvent, Actor: event.Actor{Kind: event.ActorAgent, ID: "enricher", Run: "run-2026-01-01-17"},
		Token: "pat-na1-3f", BodyHash: 0x9e3779b97f4a7c15,
	}
	text := func(name, v string) {
		c.Fields = append(c.Fields, event.Field{Name: name, Value: event.Value{Text: v}})
	}
	text("annualrevenue", "1250000.00")
	text("city", "Saint-Jean-sur-Richelieu")
	text("company", "Northwind Traders International GmbH")
	text("country", "Germany")
	c.Fields = append(c.Fields, event.Field{Name: "email", Value: event.Value{
		Kind: event.KindHash, Text: "5f6c0ec1a1e37f2f3f6c2c6ee5b8b27dc1d4b0b6d1a4b7e0b0c7a1d2e3f40516", Mask: "j***@example.com", Len: 27,
	}})
	text("firstname", "Johanna-Marie")
	text("hs_lead_status", "IN_PROGRESS")
	text("hubspot_owner_id", "118294513")
	text("lastname", "Österreicher")
	text("lifecyclestage", "salesqualifiedlead")
	c.Fields = append(c.Fields, event.Field{Name: "phone", Value: event.Value{
		Kind: event.KindHash, Text: "c0535e4be2b79ffd93291305436bf889314e4a3faec05ecffcbb7df31ad9e51a", Mask: "+49 *** 4711", Len: 13,
	}})
	text("website", "https://www.northwind.example.com/de")
	return c
}

// attempt is a refused write with the vendor's body and headers.
func attempt() *event.Attempt {
	return &event.Attempt{
		ID: "9b2f4c1e-7a55-4e0e-9d1b-0f2f3b1a6c77", Tenant: "default", Integration: "hubspot-salesforce",
		RecordKey: "15160932441", DeliveryID: event.DeliveryID("hubspot-salesforce", "contact", "15160932441", "c"),
		Sender: "sync-worker", OccurredAt: at + 2310, ReceivedAt: at + 2390, System: "salesforce", Object: "contact",
		Operation: event.OpUpdate, SourceID: "15160932441", TargetID: "0035g00000XyZabAAB",
		ChangeID: "62515-3816279480-1767264000123", CallID: "call-88121", Try: 2, Status: 400,
		Code: "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", Message: "bad value for restricted picklist field: salesqualifiedlead",
		Body: `[{"message":"bad value for restricted picklist field: salesqualifiedlead","errorCode":` +
			`"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST","fields":["Lifecycle__c"]}]`,
		Headers: []event.Field{
			{Name: "content-type", Value: event.Value{Text: "application/json;charset=UTF-8"}},
			{Name: "sforce-limit-info", Value: event.Value{Text: "api-usage=18342/100000"}},
		},
		DurationMS: 184, Outcome: event.OutcomeError, Actor: event.Actor{Kind: event.ActorIntegration, ID: "hubspot"},
		Token: "00D-connected-app", BodyHash: 0x85ebca6bc2b2ae35,
	}
}

func delivery() *event.Delivery {
	return &event.Delivery{
		ID: event.DeliveryID("hubspot-salesforce", "contact", "15160932441", "c"), Tenant: "default",
		Integration: "hubspot-salesforce", Object: "contact", RecordKey: "15160932441", SourceID: "15160932441",
		TargetID: "0035g00000XyZabAAB", ChangeID: "62515-3816279480-1767264000123", Operation: event.OpUpdate,
		State: event.StateAcknowledged, ChangedAt: at, ReceivedAt: at + 412, DueAt: at + 900_000,
		FirstAttemptAt: at + 2310, AcknowledgedAt: at + 4120, LatencyMS: 4120, LatencyBasis: event.BasisAcknowledged,
		StartBasis: event.TimeEvent, Attempts: 2, Actor: event.Actor{Kind: event.ActorUser, ID: "4417"},
		UpdatedAt: at + 4200, Version: 918_273,
	}
}

// batch is what compression sees: the producer compresses many records that
// differ in ids and times.
func batch(n int, e event.Event) []event.Event {
	out := make([]event.Event, n)
	for i := range out {
		switch m := e.(type) {
		case *event.Change:
			c := *m
			c.ID, c.RecordID, c.ChangedAt = fmt.Sprint(c.ID, i), fmt.Sprint(15160932441+i*7919), c.ChangedAt+event.Time(i*37)
			c.RecordKey, c.ReceivedAt = c.RecordID, c.ReceivedAt+event.Time(i*37)
			out[i] = &c
		case *event.Attempt:
			a := *m
			a.ID, a.SourceID, a.OccurredAt = fmt.Sprint(a.ID, i), fmt.Sprint(15160932441+i*7919), a.OccurredAt+event.Time(i*37)
			a.RecordKey, a.DeliveryID = a.SourceID, event.Hash(a.ID)
			out[i] = &a
		case *event.Delivery:
			d := *m
			d.ID, d.SourceID, d.ChangedAt = event.Hash(fmt.Sprint(i)), fmt.Sprint(15160932441+i*7919), d.ChangedAt+event.Time(i*37)
			d.RecordKey, d.Version = d.SourceID, d.Version+uint64(i)
			out[i] = &d
		}
	}
	return out
}
