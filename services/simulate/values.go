package simulate

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/simulate/timeline"
)

var (
	firstNames = strings.Fields(`Amara Bela Chidi Dana Emil Farah Goran Hana Ines Jonas Keiko Lena Mateo Nadia Omar Priya
		Quentin Rosa Sven Tariq Uma Viktor Wanda Ximena Yusuf Zoe Alma Bruno Clara Dimitri Elena Felix`)
	lastNames = strings.Fields(`Abara Bianchi Castro Dubois Eriksen Fontaine Gupta Haddad Ivanov Jensen Kowalski Lindgren
		Moreau Novak Okafor Petrov Quist Ramos Sato Tanaka Ueda Varga Weber Xu Yilmaz Zimmermann O'Neill Müller`)
	cities     = []string{"Berlin", "Lisbon", "Austin", "Nairobi", "Osaka", "Toronto", "Lyon", "Gdańsk", "Leeds", "São Paulo", "Denver", "Utrecht"}
	titles     = []string{"Head of Operations", "VP Sales", "Account Manager", "IT Director", "Buyer", "CFO", "Marketing Lead", "Data Analyst", "Founder", "Office Manager"}
	firmWords  = strings.Fields("Alder Basalt Cobalt Delta Ember Fjord Granite Harbor Indigo Juniper Keystone Lumen Meridian Nimbus Onyx Pioneer Quartz Ridge Summit Tidal")
	firmKinds  = []string{"Labs", "Logistics", "Foods", "Systems", "Partners", "Studios", "Energy", "Health"}
	dealKinds  = []string{"Renewal", "Expansion", "New business", "Pilot", "Services"}
	badOptions = map[string]string{"lifecyclestage": "evangelist", "dealstage": "pilotrunning", "industry": "RENEWABLES_ENVIRONMENT"}
	longTitle  = "Interim Global Head of Revenue Operations, Partner Enablement, Data Governance, Procurement Transformation and Everything Else That Nobody Wanted To Own"
)

// draw makes a believable value for a mapped field. n numbers the record, so
// that e-mail addresses and domains are unique.
func draw(d *timeline.Dice, p *Profile, object string, f *config.FieldMap, n int, now int64) string {
	if f.Compare == value.Picklist {
		if bad, ok := badOptions[f.Source]; ok && d.Chance(p.BadOption) {
			return bad
		}
		return timeline.Pick(d, options(f))
	}
	switch object + "." + f.Source {
	case "contact.firstname":
		return timeline.Pick(d, firstNames)
	case "contact.lastname":
		return timeline.Pick(d, lastNames)
	case "contact.email":
		return fmt.Sprintf("%s.%d.%d@example.com", strings.ToLower(timeline.Pick(d, firstNames)), n, d.N(1000))
	case "contact.jobtitle":
		if d.Chance(p.TooLong) {
			return longTitle
		}
		return timeline.Pick(d, titles)
	case "company.name":
		return firm(d)
	case "company.domain":
		return fmt.Sprintf("%s-%d-%d.example.com", strings.ToLower(timeline.Pick(d, firmWords)), n, d.N(1000))
	case "deal.dealname":
		return firm(d) + " - " + timeline.Pick(d, dealKinds)
	}
	return drawPlain(d, f, now)
}

func drawPlain(d *timeline.Dice, f *config.FieldMap, now int64) string {
	switch {
	case f.Source == "city":
		return timeline.Pick(d, cities)
	case f.Source == "numberofemployees":
		return strconv.Itoa(d.Between(3, 4000))
	case f.Compare == value.Phone:
		return fmt.Sprintf("+1 %d-555-%04d", d.Between(201, 989), d.N(10000))
	case f.Compare == value.Number:
		return strconv.Itoa(d.Between(5, 900)*100 + 50*d.N(2))
	case f.Compare == value.Date:
		day := time.UnixMilli(now).UTC().Truncate(24*time.Hour).AddDate(0, 0, d.Between(3, 180))
		return strconv.FormatInt(day.UnixMilli(), 10)
	}
	return timeline.Pick(d, firmWords) + " " + strconv.Itoa(d.N(1000))
}

func firm(d *timeline.Dice) string {
	return timeline.Pick(d, firmWords) + " " + timeline.Pick(d, firmKinds)
}

// options are a picklist's values in the source, in an order of their own.
func options(f *config.FieldMap) []string {
	out := make([]string, 0, len(f.Map))
	for k := range f.Map {
		out = append(out, k)
	}
	sortStrings(out)
	return out
}

// translate is what the worker writes for a source value.
func translate(f *config.FieldMap, v string) string {
	switch {
	case v == "":
		return ""
	case f.Map[v] != "":
		return f.Map[v]
	case f.Compare == value.Date:
		return value.Normalize(value.Date, event.Value{Text: v})
	}
	return v
}

// same compares a source value with a target value as Plumbline defines it.
func same(f *config.FieldMap, source, target string) (bool, string) {
	return value.Equal(f.Compare, f.Map, event.Value{Text: source}, event.Value{Text: target})
}
