package crm

import (
	"slices"
	"strconv"

	"plumbline.dev/schemas/event"
)

// Event is one webhook event of HubSpot's classic format.
type Event struct {
	EventID          int64   `json:"eventId"`
	SubscriptionID   int64   `json:"subscriptionId"`
	PortalID         int64   `json:"portalId"`
	AppID            int64   `json:"appId"`
	OccurredAt       int64   `json:"occurredAt"`
	SubscriptionType string  `json:"subscriptionType"`
	AttemptNumber    int     `json:"attemptNumber"`
	ObjectID         int64   `json:"objectId"`
	PropertyName     string  `json:"propertyName,omitempty"`
	PropertyValue    *string `json:"propertyValue,omitempty"`
	ChangeFlag       string  `json:"changeFlag,omitempty"`
	ChangeSource     string  `json:"changeSource"`
	SourceID         string  `json:"sourceId,omitempty"`

	// Of a merge.
	PrimaryObjectID int64   `json:"primaryObjectId,omitempty"`
	MergedObjectIDs []int64 `json:"mergedObjectIds,omitempty"`
	NewObjectID     int64   `json:"newObjectId,omitempty"`
}

// MaxBatch is the most events that HubSpot puts into one request.
const MaxBatch = 100

// id is the identity that a receiver can give the event: HubSpot's own event
// id is not unique (sources A1).
func (e *Event) id() string {
	return event.Hash(itoa(e.PortalID), itoa(e.SubscriptionID), itoa(e.EventID), itoa(e.ObjectID), itoa(e.OccurredAt), e.PropertyName)
}

// ChangeID is the id of the one change that the events of a save are, told in
// one request.
func ChangeID(events []Event) string {
	ids := make([]string, len(events))
	for i := range events {
		ids[i] = events[i].id()
	}
	if len(ids) == 1 {
		return ids[0]
	}
	slices.Sort(ids)
	return event.Hash(ids...)
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
