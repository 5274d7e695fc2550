package scenario

import (
	"maps"
	"slices"
	"time"

	"plumbline.dev/schemas/event"
)

// Faults. Each is one entry of Kinds.
const (
	TokenExpired   = "token_expired"
	TokenRevoked   = "token_revoked"
	Throttled      = "throttled"
	VendorOutage   = "vendor_outage"
	BrownOut       = "brown_out"
	Network        = "network"
	APIAllocation  = "api_allocation"
	RowLock        = "row_lock"
	PicklistGone   = "picklist_removed"
	PicklistAdded  = "picklist_added"
	FieldRenamed   = "field_renamed"
	FieldDeleted   = "field_deleted"
	FieldRetyped   = "field_retyped"
	DuplicateRule  = "duplicate_rule"
	AckAndDrop     = "ack_and_drop"
	Coerced        = "coerced"
	PicklistFall   = "picklist_fallback"
	Shifted        = "value_shifted"
	Blanked        = "blank_overwrites"
	Partial        = "partial_record"
	OlderValue     = "older_value"
	WrongRecord    = "wrong_record"
	Duplicated     = "duplicate_created"
	BadDedup       = "bad_dedup_rule"
	OwnerLost      = "owner_lost"
	MergeIgnored   = "merge_not_propagated"
	DeleteIgnored  = "delete_not_propagated"
	LeftList       = "left_inclusion_list"
	SwallowedError = "swallowed_errors"
	SlowWorker     = "slow_worker"
	StoppedWorker  = "stopped_worker"
	RetryStorm     = "retry_storm"
	LostWebhooks   = "lost_webhooks"
	ClockSkew      = "clock_skew"
	BulkImport     = "bulk_import"
	AgentLoop      = "agent_loop"
	AgentOneValue  = "agent_one_value"
	TokenTheft     = "token_theft"
	MappingChange  = "mapping_change"
	Deploy         = "deploy"
)

// What a worker says of an error that it hides.
const (
	SaysOK      = "ok"
	SaysNothing = "nothing"
)

// Kind is what is true of every fault of a name: its defaults, and what a
// good monitor says of it.
type Kind struct {
	About string

	Share, Rate, Factor float64
	Count, Answer       int
	Answers             []int
	By                  time.Duration
	Says, Object, Field string
	Value               string

	// Expected. Several attributions mean that each is defensible.
	Class          string
	Recoverability string
	Attribution    []string
	Silent         bool   // no error tells of it
	Incident       bool   // worth an incident
	Signal         string // kind of the signal that tells of it
}

var (
	byCustomer = []string{event.ByCustomer}
	byPipeline = []string{event.ByPipeline}
	byVendor   = []string{event.ByVendor}
	either     = []string{event.ByCustomer, event.ByPipeline}
)

func silent(about string, share float64, class string) Kind {
	return Kind{About: about, Share: share, Class: class, Attribution: byPipeline, Silent: true, Incident: true}
}

func refused(about, object, field, signal string) Kind {
	return Kind{
		About: about, Object: object, Field: field, Signal: signal, Class: event.ClassSchema, Recoverability: event.Permanent,
		Attribution: either, Incident: true,
	}
}

// Kinds are all faults.
var Kinds = map[string]Kind{
	TokenExpired: {
		About: "the session lapses; refreshing works only at the end", Class: event.ClassAuth, Recoverability: event.Temporary,
		Attribution: either, Incident: true,
	},
	TokenRevoked: {
		About: "an admin revokes the sync's grant", Class: event.ClassAuth, Recoverability: event.Permanent,
		Attribution: byCustomer, Incident: true, Signal: event.SignalTokenRotation,
	},
	Throttled: {
		About: "the allowance is used up: Salesforce's 403, or a 429 with Retry-After", Answer: 403, Answers: []int{403, 429},
		Class: event.ClassRateLimit, Recoverability: event.Temporary, Attribution: either, Incident: true,
	},
	VendorOutage: {
		About: "the vendor is down and answers 503, or 401 or 403 as if it were the customer's fault", Answer: 503,
		Answers: []int{401, 403, 500, 502, 503}, Class: event.ClassVendorOutage, Recoverability: event.Temporary, Attribution: byVendor, Incident: true,
	},
	BrownOut: {
		About: "the vendor is slow and fails a share of the calls", Share: 0.35, Factor: 8, Answer: 503, Answers: []int{500, 502, 503, 504},
		Class: event.ClassVendorOutage, Recoverability: event.Temporary, Attribution: byVendor, Incident: true,
	},
	Network: {
		About: "calls end without an answer; half of them had been carried out", Class: event.ClassNetwork,
		Recoverability: event.Temporary, Attribution: []string{event.ByPipeline, event.ByUnknown}, Incident: true,
	},
	APIAllocation: {
		About: "the sync has used its allocation and stops until the fault ends, without a word", Class: event.ClassRateLimit,
		Attribution: either, Silent: true, Incident: true, Signal: event.SignalQuota,
	},
	RowLock: {
		About: "other transactions hold rows", Share: 0.05, Class: event.ClassOther, Recoverability: event.Temporary, Attribution: byPipeline,
	},
	PicklistGone:  refused("an admin removes an option from the target's picklist (value; default: the first)", "contact", "lifecyclestage", event.SignalPicklistChange),
	PicklistAdded: refused("the source gets an option that the target lacks", "deal", "dealstage", event.SignalPicklistChange),
	FieldRenamed:  refused("a mapped field of the target gets another name", "contact", "jobtitle", event.SignalSchemaChange),
	FieldDeleted:  refused("a mapped field of the target is deleted", "company", "numberofemployees", event.SignalSchemaChange),
	FieldRetyped:  refused("a mapped text field of the target becomes a number", "contact", "city", event.SignalSchemaChange),
	DuplicateRule: {
		About: "the target's duplicate rule refuses new contacts: somebody typed them in before", Share: 0.6, Class: event.ClassDuplicate,
		Recoverability: event.Permanent, Attribution: either, Incident: true,
	},
	AckAndDrop:   silent("the target says ok and takes nothing", 0.05, ""),
	Coerced:      silent("text is cut short and numbers are rounded", 0.05, event.ClassSchema),
	PicklistFall: silent("the picklist's default is stored instead of the value", 0.08, event.ClassSchema),
	Shifted:      silent("dates move by a time zone, amounts by a currency", 0.3, event.ClassSchema),
	Blanked:      silent("the sync clears a field that nobody touched", 0.05, ""),
	Partial:      silent("some of the fields are written, the others not", 0.1, event.ClassSchema),
	OlderValue:   silent("an older value is written over a newer one", 0.05, ""),
	WrongRecord:  silent("the values land in another record", 0.03, ""),
	Duplicated:   silent("an update makes a second record", 0.03, event.ClassDuplicate),
	BadDedup:     silent("a broken dedup rule: creates make two records", 0.5, event.ClassDuplicate),
	OwnerLost:    silent("records fall to the sync user's ownership", 0.1, ""),
	MergeIgnored: {
		About: "contacts are merged in the source, the target keeps both", Rate: 0.02, Attribution: byPipeline, Silent: true, Incident: true,
	},
	DeleteIgnored: {
		About: "records are deleted in the source, the target keeps them", Rate: 0.02, Attribution: byPipeline, Silent: true, Incident: true,
	},
	LeftList: silent("records leave the inclusion list: the sync stops for them", 0.2, ""),
	SwallowedError: {
		About: "writes are refused (an option is unknown) and the worker says ok, or nothing", Share: 0.1, Says: SaysOK,
		Attribution: byPipeline, Silent: true, Incident: true,
	},
	SlowWorker: {About: "every wait of the worker is so many times longer", Factor: 200, Attribution: byPipeline, Incident: true},
	StoppedWorker: {
		About: "the worker does nothing, and nothing says so", Attribution: byPipeline, Silent: true, Incident: true,
	},
	RetryStorm: {
		About: "one poison record is tried again and again", Rate: 2, Class: event.ClassSchema, Recoverability: event.Permanent,
		Attribution: either, Incident: true,
	},
	LostWebhooks: {About: "webhooks are lost on their way; the sync itself goes on", Share: 0.3, Attribution: byPipeline},
	ClockSkew:    {About: "the target's clock is wrong by so much", By: 40 * time.Second, Attribution: byVendor},
	MappingChange: {
		About: "the sync's map is edited: a field is written with another one's value", Object: "contact", Field: "jobtitle", Value: "city",
		Class: event.ClassSchema, Attribution: either, Silent: true, Incident: true, Signal: event.SignalMappingChange,
	},
	Deploy:     {About: "the sync is deployed, and nothing goes wrong", Signal: event.SignalDeploy},
	BulkImport: {About: "many records are imported at once, a share of them with an option that the target lacks", Count: 300, Rate: 10, Signal: event.SignalBulkImport},
	AgentLoop: {
		About: "an agent writes the same few records again and again", Rate: 5, Count: 3, Attribution: byCustomer, Incident: true,
	},
	AgentOneValue: {
		About: "an agent writes one value into a field of every record", Rate: 4, Object: "contact", Field: "city", Value: "Unknown",
		Attribution: byCustomer, Incident: true,
	},
	TokenTheft: {
		About: "a stolen token sweeps through every record, then exports them", Rate: 20, Count: 2000, Attribution: byCustomer, Incident: true,
	},
}

// Names are the faults in order.
func Names() []string { return slices.Sorted(maps.Keys(Kinds)) }
