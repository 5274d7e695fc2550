package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Door leads to ingest: what people click is an event like any other, so that
// a replay knows it.
type Door interface {
	Click(ctx context.Context, element map[string]any) error
	Cards(ctx context.Context) ([]DoorCard, error)
}

// DoorCard is what ingest knows of one hook, as GET /v1/sources tells it.
type DoorCard struct {
	Hook       string    `json:"hook"`
	Source     string    `json:"source"`
	System     string    `json:"system"`
	URL        string    `json:"url"`
	Proof      string    `json:"proof"`
	Accepted   int64     `json:"accepted"`
	LastTaken  time.Time `json:"last_accepted"`
	Refused    int64     `json:"refused"`
	LastRefuse time.Time `json:"last_refused"`
	Why        string    `json:"last_refused_because"`
	Unseen     []string  `json:"mapped_fields_never_seen"`
}

// NewDoor speaks to ingest over HTTP with a sender's token. Base says where it
// is; it may not be known yet.
func NewDoor(base func() string, token string) Door { return &door{base, token} }

type door struct {
	base  func() string
	token string
}

const (
	doorTimeout = 10 * time.Second
	doorAnswer  = 1 << 20
)

var errNoDoor = errors.New("ingest is not there yet")

func (d *door) do(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	base := d.base()
	if base == "" {
		return nil, errNoDoor
	}
	ctx, cancel := context.WithTimeout(ctx, doorTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+d.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ingest does not answer: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, doorAnswer))
	if err != nil {
		return nil, fmt.Errorf("read ingest's answer: %w", err)
	}
	if resp.StatusCode/100 != 2 {
		return nil, fmt.Errorf("ingest answered %d: %s", resp.StatusCode, shorten(string(answer), 200))
	}
	return answer, nil
}

// Click implements Door. An event that is put aside was not taken.
func (d *door) Click(ctx context.Context, element map[string]any) error {
	body, err := json.Marshal(element)
	if err != nil {
		return err
	}
	answer, err := d.do(ctx, http.MethodPost, "/v1/clicks", body)
	if err != nil {
		return err
	}
	var got struct {
		Accepted     int `json:"accepted"`
		DeadLettered []struct {
			Reason string `json:"reason"`
		} `json:"dead_lettered"`
	}
	if err := json.Unmarshal(answer, &got); err != nil {
		return fmt.Errorf("read ingest's answer: %w", err)
	}
	if len(got.DeadLettered) > 0 {
		return errors.New("ingest could not use it: " + got.DeadLettered[0].Reason)
	}
	return nil
}

// Cards implements Door.
func (d *door) Cards(ctx context.Context) ([]DoorCard, error) {
	answer, err := d.do(ctx, http.MethodGet, "/v1/sources", nil)
	if err != nil {
		return nil, err
	}
	var got struct {
		Sources []DoorCard `json:"sources"`
	}
	return got.Sources, json.Unmarshal(answer, &got)
}
