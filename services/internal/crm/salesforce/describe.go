package salesforce

import (
	"context"
	"net/http"
	"net/url"

	"plumbline.dev/pipelines/value"
	"plumbline.dev/services/internal/crm"
)

// Describe implements crm.Reader.
func (r *Reader) Describe(ctx context.Context, object string) ([]crm.Property, error) {
	var answer struct {
		Fields []struct {
			Name       string   `json:"name"`
			Label      string   `json:"label"`
			Type       string   `json:"type"`
			Length     int      `json:"length"`
			Updateable bool     `json:"updateable"`
			Createable bool     `json:"createable"`
			Nillable   bool     `json:"nillable"`
			Defaulted  bool     `json:"defaultedOnCreate"`
			Restricted bool     `json:"restrictedPicklist"`
			Unique     bool     `json:"unique"`
			External   bool     `json:"externalId"`
			References []string `json:"referenceTo"`
			Values     []struct {
				Value  string `json:"value"`
				Label  string `json:"label"`
				Active bool   `json:"active"`
			} `json:"picklistValues"`
		} `json:"fields"`
	}
	path := data + "/sobjects/" + url.PathEscape(object) + "/describe"
	if err := r.call.Do(ctx, crm.Call{Method: http.MethodGet, Path: path}, &answer); err != nil {
		return nil, err
	}
	known := map[string]string{}
	out := make([]crm.Property, 0, len(answer.Fields))
	for _, f := range answer.Fields {
		known[f.Name] = f.Type
		p := crm.Property{
			Name: f.Name, Label: f.Label, Kind: kinds[f.Type], Length: f.Length, ReadOnly: !f.Updateable,
			Type: f.Type, Closed: f.Restricted, Required: f.Createable && !f.Nillable && !f.Defaulted,
			Unique: f.Unique || f.External || f.Type == "id", References: f.References,
		}
		if p.Kind == "" {
			p.Kind = value.Text
		}
		for _, v := range f.Values {
			if v.Active {
				p.Options = append(p.Options, crm.Option{Value: v.Value, Label: v.Label})
			}
		}
		out = append(out, p)
	}
	r.mu.Lock()
	r.fields[object] = known
	r.mu.Unlock()
	return out, nil
}

// Metadata implements crm.Reader.
func (r *Reader) Metadata(ctx context.Context, object string) (crm.Metadata, error) {
	properties, err := r.Describe(ctx, object)
	return crm.NewMetadata(r.System(), object, properties), err
}

// kinds are Salesforce's types in the words of pipelines/value; all others are text.
var kinds = map[string]string{
	"double": value.Number, "currency": value.Number, "percent": value.Number, "int": value.Number, "long": value.Number,
	"boolean": value.Bool, "date": value.Date, "datetime": value.DateTime, "email": value.Email, "phone": value.Phone,
	"picklist": value.Picklist, "multipicklist": value.Multi, "reference": value.Reference, "id": value.Reference,
}
