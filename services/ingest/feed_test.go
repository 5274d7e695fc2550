package ingest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	conf "plumbline.dev/services/internal/config"
)

const feedConfig = `
senders: [ { id: worker, tokens: [env:TOKEN] } ]
connections:
  - { id: sf, system: salesforce, account: 00D000000000001EAA, domain: acme.my.salesforce.com, token: env:TOKEN, observe: [stream] }
status_pages:
  - { id: hubspot, system: hubspot, url: "https://status.hubspot.com" }
integrations:
  - id: hs-sf
    tenant: acme
    source: { system: hubspot, account: "62515" }
    target: { system: salesforce, account: 00D000000000001EAA, connection: sf }
    objects:
      - name: contact
        source: contact
        target: Contact
        fields: [ { source: phone, target: Phone, policy: hash }, { source: email, target: Email } ]
`

const streamed = `[{"payload":{"ChangeEventHeader":{"entityName":"Contact","recordIds":["003000000000001AAA"],"changeType":"UPDATE",
 "transactionKey":"t","sequenceNumber":1,"commitTimestamp":1767323045678,"commitNumber":1745500706683617281,"changedFields":["Phone"]},
 "Phone":"+41 44 668 18 00"},"event":{"replayId":"0a"}},
 {"undecodable":"the schema cannot be read","avro":"AA=="}]`

// What we fetch goes the way of what is posted: policy, dead letters, log, card.
func TestStreamFeed(t *testing.T) {
	r := &recorder{}
	o := options(t, r)
	var err error
	o.Config, err = conf.Parse("feed.yaml", []byte(feedConfig))
	require.NoError(t, err)
	s := newServer(t, o)
	f, err := s.Stream(&o.Config.Connections[0])
	require.NoError(t, err)

	require.NoError(t, f.Take([]byte(streamed)))
	m := r.take()
	require.Len(t, m, 2)
	c := m[0].Event.(*event.Change)
	require.Equal(t, event.NativeKey("salesforce", "00D000000000001EAA", "Contact", "003000000000001AAA"), m[0].Key)
	require.Equal(t, event.KindHash, c.Fields[0].Value.Kind, "the field policy holds")
	require.Equal(t, "stream:sf", c.Hook)
	require.Equal(t, topic.DeadLetters, m[1].Topic)
	require.Equal(t, "the schema cannot be read", m[1].Event.(*event.DeadLetter).Reason)

	p := &event.Position{Stream: "sf/data/ChangeEvents", At: "0a", SeenAt: event.At(testTime)}
	require.NoError(t, f.Mark(p))
	m = r.take()
	require.Equal(t, topic.Positions, m[0].Topic)
	require.Equal(t, p.Stream, m[0].Key)

	require.NoError(t, f.Lost(p))
	m = r.take()
	require.Len(t, m, 1, "one for each object of each integration that the stream serves")
	sig := m[0].Event.(*event.Signal)
	require.NoError(t, sig.Validate())
	require.Equal(t, []string{"hs-sf", "contact", event.SignalSourceLossy}, []string{sig.Integration, sig.Object, sig.Kind})
	require.Equal(t, event.DetailCompare, sig.Detail[0].Name)

	f.Refused("Salesforce refuses the token")
	card := s.Cards()[0]
	require.Equal(t, "stream:sf", card.Hook)
	require.Equal(t, "Salesforce refuses the token", card.Why)
	require.Equal(t, []string{"Contact.Email"}, card.Unseen)
	require.False(t, card.LastTaken.IsZero())

	r.err = errAway
	require.Error(t, f.Take([]byte(streamed)))
	require.ErrorIs(t, f.Mark(p), errAway)
}

func TestStatusPageFeed(t *testing.T) {
	r := &recorder{}
	o := options(t, r)
	var err error
	o.Config, err = conf.Parse("feed.yaml", []byte(feedConfig))
	require.NoError(t, err)
	s := newServer(t, o)
	f, err := s.StatusPage(&o.Config.StatusPages[0])
	require.NoError(t, err)
	require.Equal(t, time.Minute, time.Duration(o.Config.StatusPages[0].Every))
	require.NoError(t, f.Take([]byte(`{"page":{"id":"p"},"incidents":[{"id":"i1","name":"API errors","status":"identified","created_at":"2026-01-01T00:00:00Z"}]}`)))
	sig := r.take()[0].Event.(*event.Signal)
	require.Equal(t, []string{event.SignalVendorIncident, "hubspot", ""}, []string{sig.Kind, sig.System, sig.Integration})
}
