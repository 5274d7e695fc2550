package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// profileSeconds is mostly shorter than what is measured.
const profileSeconds = 8

// profile looks into our process while it works off a data set; the returned
// function waits for the end of it. Without -profile it does nothing.
func (m *joining) profile(data string) func() error {
	if *profile == "" || data == "" || m.group != joiners[0].group {
		return func() error { return nil }
	}
	name := filepath.Join(*profile, strings.ReplaceAll(data, " ", "-"))
	done := make(chan error, 1)
	go func() {
		done <- m.fetch(fmt.Sprintf("profile?seconds=%d", profileSeconds), name+".cpu")
	}()
	return func() error {
		return errors.Join(<-done, m.fetch("allocs", name+".allocs"), m.fetch("heap", name+".heap"))
	}
}

func (m *joining) fetch(what, path string) error {
	resp, err := http.Get("http://" + m.w.listen + "/debug/pprof/" + what)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("profile %s: %s", what, resp.Status)
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, resp.Body)
	return errors.Join(err, f.Close())
}
