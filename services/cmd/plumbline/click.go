package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	cfgload "plumbline.dev/services/internal/config"
)

// click sends what a person decided on the command line.
func (c *common) click(ctx context.Context, element map[string]any) error {
	return c.post(ctx, "clicks", element)
}

// post sends one element or a list through ingest, like everything else, with the token
// of the first configured sender.
func (c *common) post(ctx context.Context, kind string, element any) error {
	cfg, dir, err := c.load()
	if err != nil {
		return err
	}
	if len(cfg.Senders) == 0 || len(cfg.Senders[0].Tokens) == 0 {
		return errors.New("no sender is configured: add one under senders, its token lets this command speak to ingest")
	}
	token, err := cfgload.Secrets{Dir: dir}.Resolve(cfg.Senders[0].Tokens[0])
	if err != nil {
		return err
	}
	body, err := json.Marshal(element)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+cfg.Listen.Ingest+"/v1/"+kind, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+string(bytes.TrimSpace(token)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ingest does not answer on %s, is it running?: %w", cfg.Listen.Ingest, err)
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if resp.StatusCode != http.StatusAccepted || bytes.Contains(answer, []byte(`"reason"`)) {
		return fmt.Errorf("ingest answered %d: %s", resp.StatusCode, bytes.TrimSpace(answer))
	}
	return nil
}
