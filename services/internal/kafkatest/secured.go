package kafkatest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"plumbline.dev/services/internal/loopback"
)

// Secure is a real broker's listener that wants TLS and a password.
type Secure struct {
	Addr, CA, User, Password string
}

// secured is what the broker's properties say of such a listener, beside the
// plain one, by which tests see that the broker is there. Of a repeated
// property the last counts.
const secured = `listeners=PLAINTEXT://127.0.0.1:%[1]d,CONTROLLER://127.0.0.1:%[2]d,SECURE://%[3]s
advertised.listeners=PLAINTEXT://127.0.0.1:%[1]d,SECURE://%[3]s
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL
inter.broker.listener.name=PLAINTEXT
listener.name.secure.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.secure.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_%[5]s="%[6]s";
listener.name.secure.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.secure.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.secure.ssl.keystore.type=PEM
listener.name.secure.ssl.keystore.location=%[4]s
`

// RealSecure starts a real broker with a listener that wants TLS and SASL.
func RealSecure(t testing.TB) Secure {
	t.Helper()
	dir := t.TempDir()
	s := Secure{Addr: loopback.Addr(t), CA: filepath.Join(dir, "ca.pem"), User: "plumbline", Password: "a-password-of-tests"}
	store := filepath.Join(dir, "broker.pem")
	certify(t, store, s.CA)
	p := startWith(t, dir, func(port, controller int) string {
		return fmt.Sprintf(secured, port, controller, s.Addr, store, s.User, s.Password)
	}, "--add-scram", fmt.Sprintf("SCRAM-SHA-256=[name=%s,password=%s]", s.User, s.Password),
		"--add-scram", fmt.Sprintf("SCRAM-SHA-512=[name=%s,password=%s]", s.User, s.Password))
	t.Cleanup(p.Kill) // its data is thrown away, so there is no order to keep
	return s
}

// certify writes a key with its certificate, and the certificate that vouches for it.
func certify(t testing.TB, store, ca string) {
	t.Helper()
	fail := func(err error) {
		if err != nil {
			t.Fatalf("kafkatest: make a certificate: %v", err)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	fail(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "127.0.0.1"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	fail(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	fail(err)
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	fail(os.WriteFile(ca, cert, 0o600))
	fail(os.WriteFile(store, append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), cert...), 0o600))
}
