package hubspot

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"plumbline.dev/pipelines/value"
	"plumbline.dev/services/internal/crm"
)

// Describe implements crm.Reader.
func (r *Reader) Describe(ctx context.Context, object string) ([]crm.Property, error) {
	var answer struct {
		Results []struct {
			Name      string `json:"name"`
			Label     string `json:"label"`
			Type      string `json:"type"`
			FieldType string `json:"fieldType"`
			Unique    bool   `json:"hasUniqueValue"`
			Archived  bool   `json:"archived"`
			Options   []struct {
				Label string `json:"label"`
				Value string `json:"value"`
			} `json:"options"`
			External     bool   `json:"externalOptions"`
			Reference    string `json:"referencedObjectType"`
			Modification struct {
				ReadOnly bool `json:"readOnlyValue"`
			} `json:"modificationMetadata"`
		} `json:"results"`
	}
	path := "/crm/v3/properties/" + plural(object)
	if err := r.call.Do(ctx, crm.Call{Method: http.MethodGet, Path: path}, &answer); err != nil {
		return nil, err
	}
	out := make([]crm.Property, 0, len(answer.Results))
	for _, p := range answer.Results {
		if p.Archived {
			continue
		}
		x := crm.Property{
			Name: p.Name, Label: p.Label, Kind: kind(p.Name, p.Type, p.FieldType), Unique: p.Unique || p.Name == idField,
			Type: p.Type, ReadOnly: p.Modification.ReadOnly, Closed: p.Type == "enumeration" && !p.External,
		}
		for _, o := range p.Options {
			x.Options = append(x.Options, crm.Option{Value: o.Value, Label: o.Label})
		}
		if p.Reference != "" || p.Name == "hubspot_owner_id" {
			x.Kind, x.References = value.Reference, []string{orOwner(p.Reference)}
		}
		out = append(out, x)
	}
	return out, nil
}

// Metadata implements crm.Reader. Which properties are required is told by
// another endpoint, for which a token may lack the scope: then none is known.
func (r *Reader) Metadata(ctx context.Context, object string) (crm.Metadata, error) {
	properties, err := r.Describe(ctx, object)
	if err != nil {
		return crm.Metadata{}, err
	}
	var schema struct {
		Required []string `json:"requiredProperties"`
	}
	err = r.call.Do(ctx, crm.Call{Method: http.MethodGet, Path: "/crm/v3/schemas/" + url.PathEscape(object)}, &schema)
	switch crm.KindOf(err) {
	case crm.KindScope, crm.KindGone, crm.KindSchema:
	default:
		if err != nil {
			return crm.Metadata{}, err
		}
	}
	for i := range properties {
		properties[i].Required = slices.Contains(schema.Required, properties[i].Name)
	}
	return crm.NewMetadata(r.System(), object, properties), nil
}

func orOwner(ref string) string {
	if ref == "" {
		return "OWNER"
	}
	return ref
}

// kind is HubSpot's type in the words of pipelines/value.
func kind(name, typ, field string) string {
	switch {
	case typ == "number":
		return value.Number
	case typ == "bool", field == "booleancheckbox":
		return value.Bool
	case typ == "date":
		return value.Date
	case typ == "datetime":
		return value.DateTime
	case field == "checkbox":
		return value.Multi
	case typ == "enumeration":
		return value.Picklist
	case typ == "phone_number", field == "phonenumber":
		return value.Phone
	case name == "email", name == "hs_additional_emails":
		return value.Email
	}
	return value.Text
}
