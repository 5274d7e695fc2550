package simulate

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDemoConfigIsValid(t *testing.T) {
	c, err := DemoConfig(DemoRefs{HookSecret: "file:demo-hook.secret", SenderToken: "file:demo-sender.token"})
	require.NoError(t, err)
	require.Equal(t, DemoHook, c.Hooks[0].ID)
	require.Equal(t, DemoPublicURL, c.Hooks[0].PublicURL)
	require.Equal(t, DemoSender, c.Senders[0].ID)
	in := c.Integrations[0]
	require.Equal(t, []string{DemoTenant, DemoIntegration, DemoHook}, []string{in.Tenant, in.ID, in.Source.Hook})
	require.Len(t, in.Objects, 3)
	require.Equal(t, "0055f00000ChloeAAE", in.Objects[1].Fields[7].Map["51430003"])
}
