#!/usr/bin/env bash
# Proves that what official libraries sign and send is accepted by the real
# binary, and refused when a byte is changed: HubSpot's SDK (v1, v2, v3),
# Standard Webhooks in Node and Python, and OpenTelemetry's Python SDK with its
# OTLP exporter. Fetches those libraries, so it is not part of make test.
#   make senders
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
pid=
cleanup() {
  [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
  [ -z "$pid" ] || wait "$pid" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
ingest=127.0.0.1:$(port)
export INGEST=http://$ingest HUBSPOT_SECRET=senders-hubspot-secret WHSEC=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw TOKEN=senders-token-of-some-length

cat >"$work/plumbline.yaml" <<YAML
listen: { ingest: "$ingest", clickhouse: "127.0.0.1:0", console: "127.0.0.1:0", kafka: "127.0.0.1:$(port)" }
hooks:
  - { id: hubspot, source: hubspot, secrets: [env:HUBSPOT_SECRET], public_url: "https://hooks.example.com/hooks/hubspot", accept: [v1, v2] }
  - { id: partner, source: standard, system: other, secrets: [env:WHSEC] }
senders:
  - { id: worker, tokens: [env:TOKEN, env:WHSEC] }
integrations:
  - id: hubspot-salesforce
    source: { system: hubspot, hook: hubspot, account: "62515" }
    target: { system: salesforce, account: 00D000000000001EAA }
    objects:
      - { name: contact, source: contact, target: Contact }
YAML

bin/plumbline up --roles kafka,ingest --config "$work/plumbline.yaml" --data "$work/data" 2>"$work/log" &
pid=$!
for _ in $(seq 300); do curl -fsS "$INGEST/readyz" >/dev/null 2>&1 && break; sleep 0.1; done

cat >"$work/send.mjs" <<'JS'
import { Signature } from '@hubspot/api-client'
import { Webhook } from 'standardwebhooks'
const { INGEST, HUBSPOT_SECRET, WHSEC } = process.env
const url = 'https://hooks.example.com/hooks/hubspot'
const body = JSON.stringify([{ eventId: 1, subscriptionId: 2, portalId: 62515, occurredAt: Date.now(), subscriptionType: 'contact.creation', attemptNumber: 0, objectId: 7, changeSource: 'CRM_UI' }])
async function post(what, path, body, headers, want) {
  const r = await fetch(INGEST + path, { method: 'POST', body, headers: { 'Content-Type': 'application/json', ...headers } })
  if (r.status !== want) throw new Error(`${what}: ${r.status} ${await r.text()}, want ${want}`)
  console.log('senders:', what, r.status)
}
for (const v of ['v1', 'v2', 'v3']) {
  const timestamp = Date.now()
  const signature = Signature.getSignature('POST', v, { clientSecret: HUBSPOT_SECRET, requestBody: body, url, timestamp })
  const headers = v === 'v3'
    ? { 'X-HubSpot-Signature-v3': signature, 'X-HubSpot-Request-Timestamp': String(timestamp) }
    : { 'X-HubSpot-Signature': signature, 'X-HubSpot-Signature-Version': v }
  await post(`HubSpot's SDK, ${v}`, '/hooks/hubspot', body, headers, 202)
  await post(`HubSpot's SDK, ${v}, changed on its way`, '/hooks/hubspot', body + ' ', headers, 401)
}
const wh = new Webhook(WHSEC), at = new Date()
const event = JSON.stringify({ type: 'contact.created', timestamp: at.toISOString(), data: { id: 'n1' } })
const headers = { 'webhook-id': 'msg_node', 'webhook-timestamp': String(Math.floor(at / 1000)), 'webhook-signature': wh.sign('msg_node', at, event) }
await post('standardwebhooks for Node', '/hooks/partner', event, headers, 202)
await post('standardwebhooks for Node, changed', '/hooks/partner', event + ' ', headers, 401)
JS
cat >"$work/send.py" <<'PY'
import datetime, json, os, urllib.error, urllib.request
from standardwebhooks.webhooks import Webhook
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.trace import SpanKind

base = os.environ["INGEST"]
now = datetime.datetime.now(datetime.timezone.utc)
body = json.dumps({"type": "attempt", "timestamp": now.isoformat(), "data": {
    "integration": "hubspot-salesforce", "object": "contact", "operation": "update", "source_id": "7", "status": 200}})
headers = {"Content-Type": "application/json", "webhook-id": "msg_python", "webhook-timestamp": str(int(now.timestamp())),
           "webhook-signature": Webhook(os.environ["WHSEC"]).sign("msg_python", now, body)}
r = urllib.request.urlopen(urllib.request.Request(base + "/v1/attempts", body.encode(), headers))
answer = json.load(r)
assert r.status == 202 and answer == {"accepted": 1}, answer
print("senders: standardwebhooks for Python", r.status)

results = []
class Watched(OTLPSpanExporter):
    def export(self, spans):
        results.append(super().export(spans))
        return results[-1]
exporter = Watched(endpoint=base + "/v1/traces", headers={"Authorization": "Bearer " + os.environ["TOKEN"]})
provider = TracerProvider(resource=Resource.create({"service.name": "sync-worker"}))
provider.add_span_processor(SimpleSpanProcessor(exporter))
with provider.get_tracer("t").start_as_current_span("PATCH", kind=SpanKind.CLIENT) as span:
    span.set_attribute("http.request.method", "PATCH")
    span.set_attribute("url.full", "https://acme.my.salesforce.com/services/data/v60.0/sobjects/Contact/003000000000001AAA")
    span.set_attribute("http.response.status_code", 403)
provider.shutdown()
assert results == [SpanExportResult.SUCCESS], results
metrics = urllib.request.urlopen(base + "/metrics").read().decode()
assert 'plumbline_ingest_events_total{route="v1/traces"} 1' in metrics
print("senders: OpenTelemetry's exporter, one span, one attempt")
PY
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check standardwebhooks==1.1.0 opentelemetry-sdk==1.45.2 opentelemetry-exporter-otlp-proto-http==1.45.2
(cd "$work" && npm install --silent --no-audit --no-fund @hubspot/api-client@14.0.1 standardwebhooks@1.1.1 >/dev/null && node send.mjs)
"$work/venv/bin/python" "$work/send.py" || { tail -5 "$work/log" >&2; exit 1; }
