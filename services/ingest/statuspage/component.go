package statuspage

import (
	"encoding/json"
	"errors"
	"time"
)

const operational = "operational"

// component is a part of the vendor's service.
type component struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Status  string    `json:"status"`
	Updated time.Time `json:"updated_at"`
}

// update is what the page's webhook would have said.
type update struct {
	Page   json.RawMessage `json:"page"`
	Update struct {
		ID        string    `json:"component_id"`
		CreatedAt time.Time `json:"created_at"`
		New       string    `json:"new_status"`
		Old       string    `json:"old_status"`
	} `json:"component_update"`
	Component component `json:"component"`
}

// tellComponents hands over those whose status is another than it was. After
// a start nobody knows how they were: what is well since long is passed over.
func (p *Poller) tellComponents(body []byte) error {
	all, err := read(body)
	if err != nil {
		return err
	}
	for _, raw := range all.Components {
		var c component
		if json.Unmarshal(raw, &c) != nil || c.ID == "" {
			return errors.New("a component is not as a status page writes it")
		}
		was, known := p.status[c.ID]
		if was == c.Status {
			continue
		}
		if !known {
			was = "unknown"
		}
		if known || c.Status != operational || p.o.Clock.Now().Sub(c.Updated) < recent {
			u := update{Page: all.Page, Component: c}
			u.Update.ID, u.Update.CreatedAt, u.Update.New, u.Update.Old = c.ID, c.Updated, c.Status, was
			b, err := json.Marshal(u)
			if err != nil {
				return err
			}
			if err := p.o.Taker.Take(b); err != nil {
				return err
			}
		}
		if len(p.status) < maxParts || known {
			p.status[c.ID] = c.Status
		}
	}
	return nil
}
