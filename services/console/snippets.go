package console

import "strings"

// snippet reports one attempt in one language.
type snippet struct{ ID, Language, Code string }

// snippets name where the token is, never the token: they can be pasted
// anywhere.
func snippets(ingest, ref, integration string) []snippet {
	kind, where, _ := strings.Cut(ref, ":")
	goToken, pyToken, nodeToken, shToken := `os.Getenv("`+where+`")`, `os.environ["`+where+`"]`, "process.env."+where, "$"+where
	if kind == "file" {
		goToken, pyToken = `token // the content of `+where, `open("`+where+`").read().strip()`
		nodeToken, shToken = `require("fs").readFileSync("`+where+`", "utf8").trim()`, `$(cat `+where+`)`
	}
	r := strings.NewReplacer("INGEST", ingest, "INTEGRATION", integration, "GOTOKEN", goToken, "PYTOKEN", pyToken, "NODETOKEN", nodeToken, "SHTOKEN", shToken)
	out := []snippet{
		{"curl", "curl", `curl INGEST/v1/attempts -H "Authorization: Bearer SHTOKEN" -H 'Content-Type: application/json' \
  -d '{"integration":"INTEGRATION","object":"contact","operation":"update","source_id":"101","target_id":"003A1",
       "occurred_at":"2026-11-01T12:00:00Z","status":200,"outcome":"ok"}'`},
		{"python", "Python", `import os, requests, datetime

def report(**attempt):
    attempt.setdefault("occurred_at", datetime.datetime.now(datetime.timezone.utc).isoformat())
    r = requests.post("INGEST/v1/attempts", json=attempt, headers={"Authorization": "Bearer " + PYTOKEN}, timeout=5)
    r.raise_for_status()

report(integration="INTEGRATION", object="contact", operation="update", source_id="101", target_id="003A1", status=200, outcome="ok")`},
		{"node", "Node", `async function report(attempt) {
  const r = await fetch("INGEST/v1/attempts", {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: "Bearer " + NODETOKEN },
    body: JSON.stringify({ occurred_at: new Date().toISOString(), ...attempt }),
  });
  if (r.status !== 202) throw new Error(await r.text());
}
await report({ integration: "INTEGRATION", object: "contact", operation: "update", source_id: "101", target_id: "003A1", status: 200, outcome: "ok" });`},
		{"go", "Go", `body, _ := json.Marshal(map[string]any{
	"integration": "INTEGRATION", "object": "contact", "operation": "update", "source_id": "101", "target_id": "003A1",
	"occurred_at": time.Now().UTC(), "status": 200, "outcome": "ok",
})
req, _ := http.NewRequest("POST", "INGEST/v1/attempts", bytes.NewReader(body))
req.Header.Set("Content-Type", "application/json")
req.Header.Set("Authorization", "Bearer "+GOTOKEN)
resp, err := http.DefaultClient.Do(req) // 202: durable and counted once`},
	}
	for i := range out {
		out[i].Code = r.Replace(out[i].Code)
	}
	return out
}
