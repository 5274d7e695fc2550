// Package streamtest runs operators on scenarios a person can read, without
// Kafka: testdata/*.txt says what happened, then what must come out.
//
//	set integration=hs-sf object=contact source=hubspot target=salesforce
//
//	at 10:00:00 change hubspot contact 101 .email=a@x.com id=c1 by user:7
//	at 10:00:02 attempt update 101 -> 003A change=c1 ok
//	tick 10:05:00
//	---- expect
//	10:00:02 delivery c1 acknowledged latency_ms=2000 ...
//	---- then
//	at 10:06:00 late 90s observe salesforce contact 003A of 101 .email=b@x.com found=poll
//	---- expect
//
// One line is one statement; # starts a comment where a line starts.
//
//	set NAME=VALUE ...              before the first event: input (facts, intake, partials), partitions, date, integration,
//	                                tenant, object, source, target, source_account, target_account, and what
//	                                the test adds with Options.Settings
//	at TIME [late SPAN] EVENT ...   it happened at TIME and arrived SPAN later
//	tick TIME [to TIME every SPAN]  stream time, to every partition; on=N: to one
//
//	change SYSTEM OBJECT RECORD [of SOURCE_ID]     id op account external merged_into merged_ids related relation
//	                                               removed hook redelivery basis body
//	                                               commit transaction sequence position
//	attempt OPERATION SOURCE_ID -> TARGET_ID       id change status code message call try retry_of system object
//	        ok | error                             duration body granularity records_ok records_failed sender
//	observe SYSTEM OBJECT RECORD [of SOURCE_ID]    id found modified resolution whole missing out account external body duplicates
//	link SOURCE_ID -> TARGET_ID                    object type from rival gone moved_to; on intake
//	                                               keyed=VALUE (all that share it) or at_source
//	signal KIND                                    id system object field summary until body
//	calls PROVIDER OK [CLASS BAD]                  op object token tenant status rec att, on input partials: one second's calls
//	compared OBJECT N of RECORDS                   field state hours uncritical run integration
//	click KIND SUBJECT                             id of object step result reason who until body
//
// All of them take key= (the partition key), on= (the partition, default: of
// the key's hash), cause=topic/partition/offset/n and integration=; changes,
// attempts and signals token=; `by KIND:ID[:RUN]` is the actor. yes and no are
// the values of whole, missing, out, removed, gone and at_source, milliseconds those of resolution
// and duration. A field is .name=text or .name:kind=text;
// kinds are those of event.Value, .name:null needs no text. A word with
// spaces is "quoted". An id that is not known is -, and a target's record
// whose source is not known is `of -`.
//
// Run plays each scenario several times: from its start twice, and killed
// after every line with the last transaction in doubt. All must give the same
// bytes. Scenario.Format shows all that is set, Scenario.Changes of a delivery seen
// before only what changed. `go test -update` writes the expectations anew; read the diff.
package streamtest
