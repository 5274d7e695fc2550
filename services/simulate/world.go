package simulate

import (
	"slices"
	"time"

	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/internal/truth"
	"plumbline.dev/services/simulate/crm"
	"plumbline.dev/services/simulate/scenario"
	"plumbline.dev/services/simulate/timeline"
)

func sortStrings(s []string) { slices.Sort(s) }

// object is one mapped kind of record in both systems.
type object struct {
	*config.Object
	n        int // position in the integration
	native   string
	source   *crm.Table
	target   *crm.Table
	pairs    []*pair // live records of the source
	byID     map[string]*pair
	every    uint32  // all fields
	ready    []*pair // records whose turn has come
	calling  bool
	planned  bool
	creation int64 // subscription ids
	deletion int64
	link     string // the source's field that holds the copy's id, or ""
	property []int64
}

// pair is a source record and how far its copy is.
type pair struct {
	o       *object
	at      int // position in o.pairs
	n       int
	row     *crm.Row
	dirty   uint32    // fields saved and not yet tried
	sending uint32    // fields in the call under way
	refused uint32    // fields of a try that was given up
	changes []carried // not yet taken
	queued  bool
	deleted bool
	try     int
	first   string // attempt id of the first try
	open    []gap  // divergences

	since    int64    // the oldest save not yet taken; 0: none waits
	overdue  bool     // it waits longer than its deadline
	saved    []int64  // by field: the newest save
	late     uint32   // fields whose newest save waits longer than its deadline
	claimed  uint32   // fields that the sync said it wrote, and the target was not seen equal since
	hurtBy   *episode // the fault that last hurt it
	outside  *episode // it left the inclusion list
	forsaken bool     // deleted, and the worker does not know
	poison   bool     // the worker cannot let go of it
	doubled  bool     // it has a second copy
	brought  *episode // the import or agent whose option the target lacks
	unheard  *episode // a careless worker had no answer to its create
}

// carried is a change and which of its fields are still to be written: a write
// that leaves some out does not deliver it.
type carried struct {
	id   string
	left uint32
}

// world is everything that exists.
type world struct {
	*timeline.Timeline
	o         *Options
	in        *config.Integration
	tenant    int // 0 is the first
	truth     *truth.Writer
	objects   []*object
	sf        *crm.Salesforce
	serial    *int64 // of events, attempts, saves; of all tenants
	usage     int64  // API calls that the org counts
	spend     func(calls int)
	out       outlet
	newOption *episode // people use an option that only the source has
	people    *people
	worker    *worker
	hooks     *hooks
	echoes    *echoes
	faults    *faults
}

// outlet takes what is to be sent. It may wait: that holds virtual time back.
type outlet interface {
	hook(hook string, events []crm.Event)
	own(kind string, elements ...any)
}

// newWorlds makes a world for each tenant, on one timeline and one truth.
func newWorlds(o *Options, out outlet) []*world {
	line, lines, serial := timeline.New(o.Start.Add(-o.History)), truth.NewWriter(o.Truth), int64(1000)
	var worlds []*world
	for i := range o.Integrations {
		worlds = append(worlds, newWorld(o, &world{Timeline: line, truth: lines, serial: &serial, tenant: i, out: out}))
	}
	return worlds
}

func newWorld(o *Options, w *world) *world {
	w.o, w.in, w.sf = o, &o.Integrations[w.tenant], &crm.Salesforce{Tables: map[string]*crm.Table{}}
	for i := range w.in.Objects {
		w.addObject(i, &w.in.Objects[i])
	}
	w.hooks, w.echoes = newHooks(w), newEchoes(w)
	w.faults, w.worker, w.people = newFaults(w), newWorker(w), newPeople(w)
	return w
}

// prefixes of Salesforce ids tell the object.
var prefixes = map[string]string{"Contact": "003", "Account": "001", "Opportunity": "006", "Lead": "00Q"}

var (
	lengths = map[string]int{"Title": 128, "FirstName": 40, "LastName": 80, "Name": 120, "MailingCity": 40, "BillingCity": 40, "Phone": 40}
	bases   = []int64{171591000000, 9001000000, 5460000000}
)

func (w *world) addObject(i int, c *config.Object) {
	o := &object{Object: c, n: i, byID: map[string]*pair{}, native: c.Target[0], every: 1<<len(c.Fields) - 1}
	var source, target []crm.Field
	for j := range c.Fields {
		f := &c.Fields[j]
		src := crm.Field{Name: f.Source, Type: f.Compare, Number: f.Compare == value.Number}
		dst := crm.Field{Name: f.Target, Type: f.Compare, Number: f.Compare == value.Number, Max: lengths[f.Target]}
		if f.Compare == value.Picklist {
			src.Options = options(f)
			for _, k := range src.Options {
				dst.Options = append(dst.Options, f.Map[k])
			}
			if bad := badOptions[f.Source]; bad != "" { // HubSpot has one more
				src.Options = append(src.Options, bad)
			}
		}
		source, target = append(source, src), append(target, dst)
		o.property = append(o.property, 2426800+int64(i*100+j))
	}
	for _, k := range c.Key {
		if k.Target == "Id" { // the sync keeps the copy's id in the source
			o.link = k.Source
			source = append(source, crm.Field{Name: k.Source})
		}
	}
	target = append(target, crm.Field{Name: "Description", Max: 32000}) // nobody syncs it
	o.creation, o.deletion = 2426700+int64(i*2), 2426701+int64(i*2)
	prefix := prefixes[o.native]
	if prefix == "" {
		prefix = "a0" + string(rune('0'+i))
	}
	o.source = crm.NewTable(c.Source, source, crm.HubSpotID(bases[i%len(bases)]+int64(i/len(bases))*1e6))
	o.target = crm.NewTable(o.native, target, crm.SalesforceID(prefix))
	w.sf.Tables[o.native] = o.target
	w.objects = append(w.objects, o)
}

// sizes of the tables against contacts.
var sizes = []float64{1, 0.35, 0.5}

// populate fills both systems with equal records, long before anybody looks.
func (w *world) populate() {
	dice := w.diceOf("population")
	calm := Profile{}
	for i, o := range w.objects {
		for range int(float64(w.o.Records)*sizes[min(i, len(sizes)-1)]) + 1 {
			p := w.newPair(dice, &calm, o)
			copied := map[string]string{}
			for j := range o.Fields {
				f := &o.Fields[j]
				copied[f.Target] = translate(f, p.row.Values[f.Source])
			}
			p.linked(o.target.Insert(copied, p.row.ID, w.syncUser(), w.Now()).ID)
		}
	}
}

// linked notes the copy's id in the source record, as connectors do.
func (p *pair) linked(id string) {
	if p.o.link != "" {
		p.row.Values[p.o.link] = id
	}
}

// newPair makes a source record with a value in every mapped field.
func (w *world) newPair(d *timeline.Dice, profile *Profile, o *object) *pair {
	n := len(o.source.Rows)
	values := map[string]string{}
	for j := range o.Fields {
		f := &o.Fields[j]
		values[f.Source] = draw(d, profile, o.Name, f, n, w.Now())
	}
	return w.pair(o, o.source.Insert(values, "", "", w.Now()))
}

// pair follows a new record of the source.
func (w *world) pair(o *object, row *crm.Row) *pair {
	p := &pair{o: o, n: len(o.source.Rows) - 1, at: len(o.pairs), row: row}
	o.pairs = append(o.pairs, p)
	o.byID[row.ID] = p
	return p
}

// forget takes a deleted record out of those that people find.
func (w *world) forget(p *pair) {
	last := p.o.pairs[len(p.o.pairs)-1]
	p.o.pairs[p.at], last.at = last, p.at
	p.o.pairs = p.o.pairs[:len(p.o.pairs)-1]
	delete(p.o.byID, p.row.ID)
}

func (w *world) syncUser() string { return w.in.Target.SyncUser }

func (w *world) next() int64 { *w.serial++; return *w.serial }

// diceOf are the dice of a part of this tenant's world.
func (w *world) diceOf(part string) *timeline.Dice {
	if w.tenant > 0 {
		part += "/" + itoa(int64(w.tenant))
	}
	return timeline.NewDice(w.o.Seed, part)
}

// targetNow is the target's clock.
func (w *world) targetNow() int64 {
	if e := w.faults.on(scenario.ClockSkew); e != nil {
		return w.Now() + time.Duration(e.By).Milliseconds()
	}
	return w.Now()
}

func (w *world) copyOf(p *pair) *crm.Row { return p.o.target.GetExternal(p.row.ID) }

// counterpart is the record of the target that the keys pair a record with: its
// copy or, while the sync has made none, the person whom a colleague typed in.
func (w *world) counterpart(p *pair) *crm.Row {
	if row := w.copyOf(p); row != nil || p.deleted {
		return row
	}
	return w.echoes.typed[p]
}

func (w *world) at() truth.Time { return truth.Time(w.Now()) }

// field is the position of a field by its source name, or -1.
func (o *object) field(source string) int {
	return slices.IndexFunc(o.Fields, func(f config.FieldMap) bool { return f.Source == source })
}

// names lists the fields of a mask.
func (o *object) names(mask uint32, target bool) []string {
	var out []string
	for j := range o.Fields {
		switch {
		case mask&(1<<j) == 0:
		case target:
			out = append(out, o.Fields[j].Target)
		default:
			out = append(out, o.Fields[j].Source)
		}
	}
	return out
}
