package sources

import (
	"plumbline.dev/schemas/event"
)

// Nango decodes what Nango says about its syncs and connections. What it
// forwards from a provider is decoded as that provider's.
func Nango(body []byte, m Meta) (Result, error) {
	if d, err := open(body); err == nil && d.text("type") == "forward" {
		decode := forwarded[d.text("from")]
		if payload := d.get("payload"); decode != nil && payload != nil {
			return decode(payload, m)
		}
		return Result{Total: 1, Ignored: 1}, nil
	}
	return nangoOwn(body, m)
}

var nangoOwn = elements(nango)

// forwarded are the providers whose bodies Nango passes on as they are.
var forwarded = map[string]Decoder{
	"hubspot": HubSpot, "salesforce": SalesforceCDC, "pipedrive": Pipedrive, "close": Close, "attio": Attio,
	"intercom": Intercom, "zendesk": Zendesk, "outreach": Outreach,
}

func nango(d *doc, m Meta) ([]event.Event, error) {
	switch d.text("type") {
	case "sync":
		return nangoSync(d, m)
	case "auth":
		return nangoAuth(d, m)
	}
	return nil, nil
}

func nangoSync(d *doc, m Meta) ([]event.Event, error) {
	config, name := d.need("providerConfigKey"), d.need("syncName")
	a, err := m.run(d.need("connectionId"), config+"/"+name, config)
	if err != nil {
		return nil, err
	}
	started := or(d.id("startedAt"), d.id("queryTimeStamp"), d.id("modifiedAfter"))
	a.ID = event.Hash("nango", d.id("connectionId"), config, name, d.id("syncVariant"), d.id("model"), started)
	a.Object, a.BodyHash, a.Operation = or(d.id("model"), wholeRun), d.hash(), event.OpRead
	for _, part := range []string{"added", "updated", "deleted"} {
		a.RecordsOK += d.whole("responseResults", part)
	}
	if !d.flag("success") {
		failed(a, d.id("error", "type"), d.text("error", "description"))
		a.OccurredAt = or(d.at("failedAt"), a.OccurredAt)
		if from := d.at("startedAt"); from != 0 && a.OccurredAt > from {
			a.DurationMS = int64(a.OccurredAt - from)
		}
	}
	return []event.Event{a}, nil
}

// nangoAuth tells a token that could not be refreshed from one that is new.
func nangoAuth(d *doc, m Meta) ([]event.Event, error) {
	config := d.need("providerConfigKey")
	if d.text("operation") != "refresh" {
		s := m.signal(event.SignalTokenRotation, "Nango: connection "+d.id("connectionId")+" was authorised ("+d.id("operation")+")")
		s.ID, s.BodyHash, s.Token = event.Hash(d.content("nango"), m.ReceivedAt.String()), d.hash(), d.id("connectionId")
		s.Integration, _ = m.integration(d.id("connectionId"), config)
		return []event.Event{s}, nil
	}
	a, err := m.run(d.id("connectionId"), config)
	if err != nil {
		return nil, err
	}
	// Nothing in it tells one failed refresh from the next: each arrival is one.
	a.ID, a.BodyHash = event.Hash(d.content("nango"), m.ReceivedAt.String()), d.hash()
	a.Operation, a.Token = event.OpAuthRefresh, d.id("connectionId")
	if !d.flag("success") {
		failed(a, d.id("error", "type"), d.text("error", "description"))
	}
	return []event.Event{a}, nil
}
