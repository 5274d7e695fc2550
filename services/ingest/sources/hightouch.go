package sources

import "plumbline.dev/schemas/event"

// Hightouch decodes alerts. Their body is not published: with a mapping they
// become what it says; without one they are a signal in Hightouch's own words,
// never silence.
func Hightouch(body []byte, m Meta) (Result, error) {
	if m.Mapping != nil {
		return JSON(body, m)
	}
	return hightouchText(body, m)
}

var hightouchText = elements(func(d *doc, m Meta) ([]event.Event, error) {
	text := or(d.text("text"), d.text("message"), d.text("title"), d.text("error"), "an alert changed its state")
	s := m.signal(event.SignalSourceStalled, "Hightouch: "+text)
	s.ID, s.BodyHash = event.Hash(d.content("hightouch"), m.ReceivedAt.String()), d.hash()
	s.Integration = m.Integration
	return []event.Event{s}, nil
})
