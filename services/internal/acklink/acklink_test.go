package acklink_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/services/internal/acklink"
)

var now = time.Unix(1_800_000_000, 0)

func TestLinks(t *testing.T) {
	key, err := acklink.NewKey([]byte("0123456789abcdef\n"))
	require.NoError(t, err)
	claim := acklink.Claim{Alert: "a1", Tenant: "acme", Integration: "hs-sf", Since: 17, Expires: now.Add(time.Hour).Unix()}
	link := key.Link("https://plumbline.example.com/", claim)
	u, err := url.Parse(link)
	require.NoError(t, err)
	require.Equal(t, "https://plumbline.example.com/take", u.Scheme+"://"+u.Host+u.Path)
	token := u.Query().Get("link")

	got, err := key.Read(token, now)
	require.NoError(t, err)
	require.Equal(t, claim, got)
	_, err = key.Read(token, now.Add(time.Hour-time.Second))
	require.NoError(t, err)
	got, err = key.Read(token, now.Add(time.Hour))
	require.ErrorIs(t, err, acklink.ErrOver)
	require.Equal(t, claim, got, "what it was about can still be said")

	other, _ := acklink.NewKey([]byte("fedcba9876543210"))
	_, err = other.Read(token, now)
	require.ErrorIs(t, err, acklink.ErrForged)
	longer := claim
	longer.Expires += 9999
	body, _, _ := strings.Cut(strings.TrimPrefix(key.Link("", longer), "/take?link="), ".")
	_, mac, _ := strings.Cut(token, ".")
	for _, forged := range []string{"", ".", token[:len(token)-1], token + "x", body + "." + mac, strings.Repeat("a", 1<<16)} {
		_, err = key.Read(forged, now)
		require.ErrorIs(t, err, acklink.ErrForged, forged)
	}
}

func TestClicksHaveIDs(t *testing.T) {
	c := acklink.Claim{Alert: "a1", Since: 17}
	again := acklink.Claim{Alert: "a1", Since: 18}
	same := c
	require.Equal(t, c.ID("ana"), same.ID("ana"))
	require.NotEqual(t, c.ID("ana"), c.ID("ben"))
	require.NotEqual(t, c.ID("ana"), again.ID("ana"), "it came back: that is another thing to take")
}

func TestKeysAreLongEnough(t *testing.T) {
	_, err := acklink.NewKey([]byte("short"))
	require.ErrorContains(t, err, "openssl rand")
}
