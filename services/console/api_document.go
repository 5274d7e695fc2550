package console

import (
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"plumbline.dev/services/console/ask"
)

type object = map[string]any

// apiDocument answers what the API is, made from what answers it: the
// questions' files and the types that are encoded.
func (s *Server) apiDocument(w http.ResponseWriter, _ *http.Request) {
	s.answer(w, http.StatusOK, document())
}

func document() object {
	paths := object{
		"/api/v1/kpis": operation("kpis", "KPIs", "The KPIs that the page shows, with numerator and denominator. Not measured is null, never 0.",
			[]object{windowParam(), parameter("tenant", "", nil), parameter("integration", "", nil)}, schemaOf(reflect.TypeFor[kpisAnswer]())),
		"/api/v1/health": operation("health", "Health", "Always 200: what is wrong is in the answer.", nil, schemaOf(reflect.TypeFor[healthAnswer]())),
	}
	for _, name := range ask.Names() {
		q := ask.All[name]
		paths["/api/v1/"+name] = operation(name, q.Title, q.About, parametersOf(q), answerOf(q))
	}
	return object{
		"openapi": "3.0.3",
		"info": object{
			"title": "Plumbline console", "version": "1",
			"description": "Read-only. Fields are added, never renamed. Times are RFC 3339 in UTC. Each answer carries the SQL it comes from.",
		},
		"paths":    paths,
		"security": []object{{"token": []string{}}},
		"components": object{
			"securitySchemes": object{"token": object{"type": "http", "scheme": "bearer", "description": "The token of one of console.people."}},
			"schemas":         object{"Error": closed(object{"error": object{"type": "string"}})},
		},
	}
}

func operation(id, title, about string, params []object, schema object) object {
	failed := func(words string) object {
		return object{"description": words, "content": object{"application/json": object{"schema": object{"$ref": "#/components/schemas/Error"}}}}
	}
	return object{"get": object{
		"operationId": id, "summary": title, "description": about, "parameters": append([]object{}, params...),
		"responses": object{
			"200": object{"description": title, "content": object{"application/json": object{"schema": schema}}},
			"400": failed("A parameter that nobody knows, or a value that is none of its choices."),
			"401": failed("No token, or nobody's."),
			"503": failed("ClickHouse cannot be read; Retry-After says when to ask again."),
		},
	}}
}

func parameter(name, about string, choices []string) object {
	schema := object{"type": "string"}
	if len(choices) > 0 {
		schema["enum"] = choices
	}
	return object{"name": name, "in": "query", "description": about, "schema": schema}
}

func windowParam() object {
	var names []string
	for _, w := range windows {
		names = append(names, w.Name)
	}
	return parameter("window", "The span that is looked at, 24h if absent.", names)
}

func parametersOf(q *ask.Question) []object {
	var out []object
	for _, name := range q.Needs {
		p := parameter(name, "", nil)
		p["required"] = true
		out = append(out, p)
	}
	for _, f := range q.Filters {
		out = append(out, parameter(f.Name, "Only rows where it is this.", f.Choices))
	}
	out = append(out, windowParam(), object{
		"name": "limit", "in": "query", "description": "At most this many rows.",
		"schema": object{"type": "integer", "minimum": 1, "maximum": maxLimit, "default": defaultLimit},
	})
	return out
}

func answerOf(q *ask.Question) object {
	columns := object{}
	for _, c := range q.Columns {
		columns[c.Name] = columnSchema(c)
	}
	fields := object{
		"demo":      object{"type": "boolean", "description": "Every record is made up."},
		"truncated": object{"type": "boolean", "description": "There are more rows than the limit."},
		"sql":       object{"type": "string", "description": "What was asked, as it can be run in any client."},
		q.Name:      object{"type": "array", "items": closed(columns)},
	}
	if q.Spans {
		fields["window"] = object{"type": "string"}
		fields["from"], fields["to"] = instantSchema(), instantSchema()
	}
	return closed(fields)
}

func instantSchema() object { return object{"type": "string", "format": "date-time"} }

// columnSchema is a column's form; numbers and times may be unknown.
func columnSchema(c ask.Column) object {
	out := object{}
	switch c.Kind {
	case ask.Time:
		out = instantSchema()
		out["nullable"] = true
	case ask.Count:
		out["type"], out["nullable"] = "integer", true
	case ask.Ratio, ask.Num, ask.Ms:
		out["type"], out["nullable"] = "number", true
	case ask.Flag:
		out["type"] = "boolean"
	case ask.List:
		out["type"], out["items"] = "array", object{"type": "string"}
	case ask.Pairs:
		out["type"], out["additionalProperties"] = "object", object{"type": "string"}
	default:
		out["type"] = "string"
	}
	if c.Title != "" {
		out["description"] = c.Title
	}
	return out
}

// closed is an object with exactly these members.
func closed(members object) object {
	return object{"type": "object", "properties": members, "required": slices.Sorted(maps.Keys(members)), "additionalProperties": false}
}

// schemaOf reads a Go type as it is encoded.
func schemaOf(t reflect.Type) object {
	if t.Kind() == reflect.Pointer {
		out := schemaOf(t.Elem())
		out["nullable"] = true
		return out
	}
	if t == reflect.TypeFor[time.Time]() {
		return instantSchema()
	}
	switch t.Kind() {
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Float64:
		return object{"type": "number"}
	case reflect.Slice:
		return object{"type": "array", "items": schemaOf(t.Elem())}
	case reflect.Struct:
		members := object{}
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			members[name] = schemaOf(t.Field(i).Type)
		}
		return closed(members)
	case reflect.Interface:
		return object{}
	}
	return object{"type": "integer"}
}
