package sources

import (
	"bytes"

	"plumbline.dev/schemas/event"
)

// hubspotType is what an event type says: which object, what happened to it.
type hubspotType struct{ object, op string }

// hubspotTypes holds every event type that moves records. Others
// (conversations, custom events) are accepted and ignored.
var hubspotTypes, hubspotNames = hubspotAll()

func hubspotAll() (map[string]hubspotType, map[string]string) {
	ops := map[string]string{
		"creation": event.OpCreate, "deletion": event.OpDelete, "privacyDeletion": event.OpDelete,
		"propertyChange": event.OpUpdate, "merge": event.OpMerge, "restore": event.OpRestore,
		"associationChange": event.OpAssociate,
	}
	types, names := map[string]hubspotType{}, map[string]string{}
	for _, object := range []string{"contact", "company", "deal", "ticket", "product", "line_item", "object"} {
		for name, op := range ops {
			full := object + "." + name
			types[full], names[full] = hubspotType{object, op}, full
		}
	}
	return types, names
}

// hubspotObjects names the standard object types of the developer platform;
// custom ones (2-...) keep their id.
var hubspotObjects = map[string]string{
	"0-1": "contact", "0-2": "company", "0-3": "deal", "0-5": "ticket", "0-7": "product", "0-8": "line_item",
	"0-14": "quote", "0-27": "task", "0-46": "note", "0-47": "meeting", "0-48": "call", "0-49": "email",
	"0-53": "invoice", "0-123": "order", "0-136": "lead",
}

// byPerson marks sources that name a person only if the event's sourceId does.
const byPerson = "by person"

// hubspotSources sorts HubSpot's change sources into kinds of actor. The list
// is open: what is not in it is unknown.
var hubspotSources = byKind(map[string][]string{
	event.ActorUser: {
		"CRM_UI", "CRM_UI_BULK_ACTION", "CONTACTS_WEB", "MOBILE_IOS", "MOBILE_ANDROID", "WORK_UI", "SALES", "HELP_DESK",
		"CONTACTS", "COMPANIES", "DEALS", "SETTINGS",
		"FORM", "LEADIN", "MEETINGS", "CONVERSATIONS", // a visitor filled it in
	},
	event.ActorAgent: {
		"BREEZE_AGENT", "CUSTOMER_AGENT", "PROSPECTING_AGENT", "AI_GROUP", "HELP_DESK_AI", "CHATSPOT", "BOT",
		"CONVERSATIONAL_ENRICHMENT", "SMART_DATA_CAPTURE",
	},
	event.ActorIntegration: {
		"INTEGRATION", "API", "INTEGRATIONS_PLATFORM", "INTEGRATIONS_SYNC", "SALESFORCE", "BATCH_UPDATE", "EXTENSION",
		"EMAIL_INTEGRATION", "GMAIL_INTEGRATION", "SLACK_INTEGRATION", "CONNECTED_ACCOUNT", "BET_CRM_CONNECTOR",
		"PORTAL_OBJECT_SYNC", "MARKETPLACE", "MICROAPPS", "DI_WRITE_TO_CRM", "DATASET",
	},
	event.ActorAutomation: {
		"AUTOMATION_PLATFORM", "AUTOMATION_JOURNEY", "PRIMARY_AUTOMATION", "WORKFLOWS", "WORKFLOW_CONTACT_DELETE_ACTION",
		"SEQUENCES", "PLAYBOOKS", "CALCULATED", "AUTO_ASSOCIATE_BY_DOMAIN", "ACTIVITY_AUTO_ASSOCIATE",
		"PROPERTY_DEFAULT_VALUE", "PIPELINE_SETTINGS", "PROPERTY_SETTINGS", "CRM_PROCESSES_PLATFORM",
		"DATA_ENRICHMENT", "DATA_QUALITY", "COMPANY_INSIGHTS", "INTENT", "SIGNALS", "MARKET_SOURCING",
	},
	event.ActorImport: {"IMPORT", "EMAIL_INBOX_IMPORT", "MIGRATION", "BCC_TO_CRM", "FORWARD_TO_CRM"},
	byPerson: {
		"MERGE_OBJECTS", "MERGE_CONTACTS", "MERGE_COMPANIES", "MERGE_REVERT_OBJECTS", "RESTORE_OBJECTS", "RECYCLING_BIN",
		"PROPERTY_RESTORE", "CLONE_OBJECTS", "DELETE_OBJECTS", "ACTIVITY_LOG_REVERT",
	},
})

func byKind(lists map[string][]string) map[string]string {
	out := map[string]string{}
	for kind, sources := range lists {
		for _, s := range sources {
			out[s] = kind
		}
	}
	return out
}

var userPrefix = []byte("userId:")

// hubspotActor says who wrote, as far as HubSpot tells.
func hubspotActor(source, sourceID []byte) event.Actor {
	kind, ok := hubspotSources[string(source)]
	if !ok {
		kind = event.ActorUnknown
	}
	id, person := bytes.CutPrefix(sourceID, userPrefix)
	if kind == byPerson {
		kind = event.ActorUnknown
		if person {
			kind = event.ActorUser
		}
	}
	return event.Actor{Kind: kind, ID: string(id)}
}
