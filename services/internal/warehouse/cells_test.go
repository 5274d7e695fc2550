package warehouse_test

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/internal/warehouse/warehousetest"
)

// Both ways into ClickHouse store the same rows: the block as it lies in
// memory, and through the client library.
func TestBothWaysStoreTheSame(t *testing.T) {
	ours, theirs := warehousetest.New(t), warehousetest.New(t)
	for _, spec := range topic.All {
		for _, f := range spec.Tables {
			full, bare := event.New(f.Type), event.New(f.Type)
			populate(reflect.ValueOf(full).Elem())
			odd := event.New(f.Type)
			populate(reflect.ValueOf(odd).Elem())
			oddities(reflect.ValueOf(odd).Elem())
			b := block(f.Table, f.Table, 1<<40, full, bare, odd, full)
			require.NoError(t, ours.Insert(t.Context(), b))
			require.NoError(t, theirs.InsertBatch(t.Context(), b))
			require.Equal(t, content(t, theirs, f.Table), content(t, ours, f.Table), f.Table)
		}
	}
}

// oddities are values that a careless encoder stumbles over.
func oddities(v reflect.Value) {
	for _, f := range v.Fields() {
		switch f.Interface().(type) {
		case []event.Field:
			f.Set(reflect.ValueOf([]event.Field{{}, {Name: "b\xff", Value: event.Value{Text: "\x00", Mask: ""}}, {Name: "é"}}))
		case []string:
			f.Set(reflect.ValueOf([]string{"", "é", "\xff"}))
		case event.Time:
		default:
			switch f.Kind() {
			case reflect.Int, reflect.Int64:
				f.SetInt(-1)
			case reflect.Struct:
				oddities(f)
			}
		}
	}
}

func content(t *testing.T, db *warehouse.DB, table string) []string {
	t.Helper()
	return publicContent(t, db, table+"_raw")
}

func publicContent(t *testing.T, db *warehouse.DB, table string) []string {
	t.Helper()
	var rows []struct {
		Row string `ch:"row"`
	}
	require.NoError(t, db.Query(t.Context(), &rows, "SELECT toString(tuple(*)) AS row FROM "+table+" ORDER BY row"))
	out := make([]string, 0, len(rows))
	for _, r := range rows {
		out = append(out, r.Row)
	}
	return out
}

// A refused block says so with ClickHouse's code, and a lost server does not.
func TestInsertErrorsCarryADecision(t *testing.T) {
	db := warehousetest.New(t)
	require.NoError(t, db.Exec(t.Context(), "ALTER TABLE deliveries_raw ADD CONSTRAINT c CHECK delivery_id = ''"))
	err := db.Insert(t.Context(), block("deliveries", "t", 1, delivery("d", 1, event.StateObserved)))
	require.Equal(t, warehouse.KindData, warehouse.KindOf(err), "%v", err)
	require.EqualValues(t, 469, warehouse.CodeOf(err))
	require.NoError(t, db.Exec(t.Context(), "DROP TABLE deliveries_raw"))
	err = db.Insert(t.Context(), block("deliveries", "t", 1, delivery("d", 1, event.StateObserved)))
	require.Equal(t, warehouse.KindSchema, warehouse.KindOf(err), "%v", err)
	gone := warehousetest.Open(t, "127.0.0.1:1", "x")
	err = gone.Insert(t.Context(), block("deliveries", "t", 1, delivery("d", 1, event.StateObserved)))
	require.Equal(t, warehouse.KindAmbiguous, warehouse.KindOf(err), "%v", err)
}
