package sources

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/wire"
)

// SOAPAck is what Salesforce wants to hear; anything else is sent again.
const SOAPAck = `<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>` +
	`<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse>` +
	`</soapenv:Body></soapenv:Envelope>`

const (
	outbound      = "http://soap.sforce.com/2005/09/outbound"
	instance      = "http://www.w3.org/2001/XMLSchema-instance"
	maxXMLDepth   = 16
	maxXMLTokens  = 200_000
	maxOutbound   = 100
	maxFieldBytes = 256 << 10
)

var errXML = errors.New("body is not an outbound message of Salesforce")

// outboundReader walks an outbound message. Document types, entities and
// everything else that lets XML do things are refused; SessionId, a live
// credential, is passed over and never leaves the body.
type outboundReader struct {
	dec    *xml.Decoder
	depth  int
	tokens int
}

// Salesforce decodes what a hook of Salesforce gets: outbound messages in
// XML, change events in JSON.
func Salesforce(body []byte, m Meta) (Result, error) {
	if t := bytes.TrimLeft(body, "\ufeff \t\r\n"); len(t) > 0 && t[0] == '<' {
		return outboundMessage(t, m)
	}
	return SalesforceCDC(body, m)
}

func outboundMessage(body []byte, m Meta) (Result, error) {
	r := &outboundReader{dec: xml.NewDecoder(bytes.NewReader(body))}
	r.dec.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errors.New("is not UTF-8") }
	var out Result
	org := ""
	for {
		t, err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Result{}, err
		}
		start, ok := t.(xml.StartElement)
		if !ok || start.Name.Space != outbound {
			continue
		}
		switch start.Name.Local {
		case "OrganizationId":
			if org, err = r.text(); err != nil {
				return Result{}, err
			}
		case "SessionId":
			if err := r.skip(); err != nil {
				return Result{}, err
			}
		case "Notification":
			if err := r.take(&out, body, org, m); err != nil {
				return Result{}, err
			}
		}
	}
	if org == "" || out.Total == 0 {
		return Result{}, fmt.Errorf("%w: no OrganizationId or no Notification", errXML)
	}
	return out, nil
}

func (r *outboundReader) take(out *Result, body []byte, org string, m Meta) error {
	from := r.dec.InputOffset()
	c, err := r.notification(m)
	if errors.Is(err, errXML) {
		return err
	}
	i := out.Total
	if out.Total++; out.Total > maxOutbound {
		return fmt.Errorf("%w: the limit is %d notifications", wire.ErrTooMany, maxOutbound)
	}
	org = salesforceID(org)
	if want := salesforceID(m.Account); err == nil && want != "" && want != org {
		err = fmt.Errorf("OrganizationId is %s, but this hook belongs to %s", org, want)
	}
	if err == nil {
		c.Account = org
		err = c.Validate()
	}
	if err != nil {
		out.reject(i, body[from:r.dec.InputOffset()], err)
		out.Bad[len(out.Bad)-1].Code = wire.CodeInvalid // XML, not broken JSON
		return nil
	}
	out.Changes = append(out.Changes, c)
	return nil
}

// notification reads one record as it is now. Salesforce does not say what
// was done to it; a time is there if the administrator chose LastModifiedDate.
func (r *outboundReader) notification(m Meta) (*event.Change, error) {
	c := m.change("salesforce")
	c.Operation, c.ChangedAt, c.TimeBasis = event.OpUpdate, m.ReceivedAt, event.TimeReceived
	depth := r.depth
	var content xxhash.Digest
	var failure error
	for r.depth >= depth {
		t, err := r.next()
		if err != nil {
			return nil, errors.Join(errXML, err)
		}
		start, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		if start.Name.Local == "sObject" {
			c.Object = objectType(start)
			continue
		}
		text, null, err := r.value(start)
		if err != nil {
			return nil, err
		}
		if start.Name.Space == outbound && start.Name.Local == "Id" {
			c.ID = text
			continue
		}
		_, _ = content.WriteString(start.Name.Local + "\x00" + text + "\x00")
		failure = errors.Join(failure, soapField(c, start.Name.Local, text, null))
	}
	c.BodyHash = content.Sum64()
	wire.SortFields(c.Fields)
	return c, failure
}

func soapField(c *event.Change, name, text string, null bool) error {
	if name == "Id" {
		c.RecordID = salesforceID(text)
		return nil
	}
	if name == "LastModifiedDate" || name == "SystemModstamp" && c.TimeBasis == event.TimeReceived {
		if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
			c.ChangedAt, c.TimeBasis = event.At(at), event.TimeEvent
		}
	}
	if name == "LastModifiedById" {
		c.Actor.ID = text
	}
	if slices.ContainsFunc(c.Fields, func(f event.Field) bool { return f.Name == name }) {
		return fmt.Errorf("field %s stands twice", name)
	}
	v := event.Value{Text: text}
	if null {
		v = event.Value{Kind: event.KindNull}
	}
	c.Fields = append(c.Fields, event.Field{Name: name, Value: v})
	return nil
}

func objectType(start xml.StartElement) string {
	for _, a := range start.Attr {
		if a.Name.Local == "type" && a.Name.Space == instance {
			return a.Value[strings.IndexByte(a.Value, ':')+1:]
		}
	}
	return ""
}

func (r *outboundReader) next() (xml.Token, error) {
	t, err := r.dec.Token()
	if errors.Is(err, io.EOF) {
		return nil, io.EOF
	}
	if err != nil {
		return nil, fmt.Errorf("%w: at byte %d", errXML, r.dec.InputOffset())
	}
	if r.tokens++; r.tokens > maxXMLTokens {
		return nil, fmt.Errorf("%w: it has too many parts", errXML)
	}
	switch t.(type) {
	case xml.Directive:
		return nil, fmt.Errorf("%w: document types are refused", errXML)
	case xml.StartElement:
		if r.depth++; r.depth > maxXMLDepth {
			return nil, fmt.Errorf("%w: it is nested deeper than %d levels", errXML, maxXMLDepth)
		}
	case xml.EndElement:
		r.depth--
	}
	return t, nil
}

// text reads the element that just began.
func (r *outboundReader) text() (string, error) {
	var b strings.Builder
	for depth := r.depth; r.depth >= depth; {
		t, err := r.next()
		if err != nil {
			return "", errors.Join(errXML, err)
		}
		if c, ok := t.(xml.CharData); ok {
			if b.Write(c); b.Len() > maxFieldBytes {
				return "", fmt.Errorf("%w: a field has more than %d bytes", errXML, maxFieldBytes)
			}
		}
	}
	return strings.TrimSpace(b.String()), nil
}

func (r *outboundReader) value(start xml.StartElement) (text string, null bool, err error) {
	for _, a := range start.Attr {
		if a.Name.Local == "nil" && a.Name.Space == instance {
			null = a.Value == "true" || a.Value == "1"
		}
	}
	text, err = r.text()
	return text, null, err
}

func (r *outboundReader) skip() error {
	for depth := r.depth; r.depth >= depth; {
		if _, err := r.next(); err != nil {
			return errors.Join(errXML, err)
		}
	}
	return nil
}
