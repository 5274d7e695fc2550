// Command naive is a webhook receiver as a Go team would write it in an hour:
// net/http, encoding/json, and franz-go's ProduceSync with a linger of 5 ms.
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

type change struct {
	PortalID json.Number `json:"portalId"`
	ObjectID json.Number `json:"objectId"`
}

func main() {
	if os.Getenv("BROKER") == "" {
		log.Fatal(http.ListenAndServe(os.Getenv("LISTEN"), http.HandlerFunc(take)))
	}
	topic, secret, url := os.Getenv("TOPIC"), []byte(os.Getenv("SECRET")), os.Getenv("PUBLIC_URL")
	cl, err := kgo.NewClient(kgo.SeedBrokers(os.Getenv("BROKER")), kgo.ProducerLinger(5*time.Millisecond), kgo.RequiredAcks(kgo.AllISRAcks()))
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/hooks/hubspot-main", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte("POST" + url))
		mac.Write(body)
		mac.Write([]byte(r.Header.Get("X-HubSpot-Request-Timestamp")))
		given, _ := base64.StdEncoding.DecodeString(r.Header.Get("X-HubSpot-Signature-v3"))
		if !hmac.Equal(given, mac.Sum(nil)) {
			http.Error(w, "signature refused", http.StatusUnauthorized)
			return
		}
		var raw []json.RawMessage
		if err := json.Unmarshal(body, &raw); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		var records []*kgo.Record
		for _, e := range raw {
			var c change
			if err := json.Unmarshal(e, &c); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			records = append(records, &kgo.Record{Topic: topic, Key: []byte(c.PortalID.String() + "/" + c.ObjectID.String()), Value: e})
		}
		if err := cl.ProduceSync(r.Context(), records...).FirstErr(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprintf(w, `{"accepted":%d}`, len(records))
	})
	log.Fatal(http.ListenAndServe(os.Getenv("LISTEN"), nil))
}

// take reads and answers, and that is all: what HTTP alone costs, the limit of
// every receiver on this machine.
func take(w http.ResponseWriter, r *http.Request) {
	if _, err := io.ReadAll(r.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprint(w, `{"accepted":1}`)
}
