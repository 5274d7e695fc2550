package resolve_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/resolve"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// A line of a vendor's log goes once to each tenant that uses the system.
func TestAccessGoesToTheTenantsOfItsSystem(t *testing.T) {
	in := func(id, tenant, source, target, account string) config.Integration {
		return config.Integration{
			ID: id, Tenant: tenant, Source: config.Endpoint{System: source}, Target: config.Endpoint{System: target, Account: account},
		}
	}
	op := resolve.New(resolve.Options{Integrations: []config.Integration{
		in("a", "t1", "hubspot", "salesforce", "00D1"), in("b", "t1", "salesforce", "warehouse", ""),
		in("c", "t2", "hubspot", "salesforce", "00D2"), in("d", "t3", "hubspot", "zoho", ""),
	}})
	tenants := func(a event.Access) []string {
		a.Operation, a.Token, a.At, a.ReceivedAt = event.AccessQuery, "tok", 1, 1
		var out stream.Out
		op.Step(stream.Ctx{}, "k", &a, &out)
		var got []string
		for _, o := range out.List {
			require.Equal(t, topic.Partials, o.Topic)
			require.Equal(t, o.Key, o.Event.(*event.Access).Tenant)
			got = append(got, o.Key)
		}
		return got
	}
	require.Equal(t, []string{"t1", "t2"}, tenants(event.Access{ID: "1", System: "salesforce"}))
	require.Empty(t, tenants(event.Access{ID: "1", System: "salesforce"}), "sent again")
	require.Equal(t, []string{"t1", "t2"}, tenants(event.Access{ID: "2", System: "salesforce", Account: "00D2"}), "b names no account")
	require.Equal(t, []string{"t2"}, tenants(event.Access{ID: "3", System: "salesforce", Tenant: "t2"}))
	require.Empty(t, tenants(event.Access{ID: "4", System: "pipedrive"}))
}
