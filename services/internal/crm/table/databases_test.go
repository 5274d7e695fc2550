//go:build databases

// Real Postgres and MySQL (or MariaDB) servers, started here. They have to be
// installed, so this is built only when asked for: make test-databases.
package table

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	"plumbline.dev/services/internal/loopback"
)

// program finds a server's program, also where Debian hides it.
func program(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if p, err := exec.LookPath(name); err == nil {
			return p
		}
		if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name); len(found) > 0 {
			return found[len(found)-1]
		}
	}
	t.Fatalf("none of %v is installed: apt-get install postgresql mariadb-server", names)
	return ""
}

// as runs a program as another user where we are root, which servers refuse.
func as(user, name string, args ...string) *exec.Cmd {
	if os.Geteuid() == 0 {
		return exec.Command("setpriv", append([]string{"--reuid=" + user, "--regid=" + user, "--init-groups", name}, args...)...)
	}
	return exec.Command(name, args...)
}

func folder(t *testing.T, user string) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "db")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if os.Geteuid() == 0 {
		out, err := exec.Command("chown", user, dir).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	return dir
}

// serve starts a server, waits until it answers, and ends it with the test.
func serve(t *testing.T, cmd *exec.Cmd, driver, dsn string) *sql.DB {
	t.Helper()
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	require.NoError(t, cmd.Start())
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = db.Close()
		_ = cmd.Process.Signal(syscall.SIGQUIT)
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		return db.PingContext(ctx) == nil
	}, time.Minute, 100*time.Millisecond, "%s", log.String())
	return db
}

func insert(t *testing.T, db *sql.DB, mark func(int) string) {
	t.Helper()
	tx, err := db.Begin()
	require.NoError(t, err)
	for _, p := range people() {
		var email any = p.email
		if p.email == "" {
			email = nil
		}
		marks := make([]string, 6)
		for i := range marks {
			marks[i] = mark(i + 1)
		}
		_, err := tx.Exec("INSERT INTO contacts VALUES ("+strings.Join(marks, ",")+")", p.id, email, p.name, p.score, p.modified, p.gone)
		require.NoError(t, err)
	}
	require.NoError(t, tx.Commit())
}

func TestPostgres(t *testing.T) {
	dir, at := folder(t, "postgres"), loopback.Port(t)
	out, err := as("postgres", program(t, "initdb"), "-D", dir+"/data", "-U", "reader", "-A", "trust").CombinedOutput()
	require.NoError(t, err, "%s", out)
	cmd := as("postgres", program(t, "postgres"), "-D", dir+"/data", "-p", fmt.Sprint(at), "-k", dir, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off")
	dsn := fmt.Sprintf("postgres://reader:hunter2@127.0.0.1:%d/postgres?sslmode=disable", at)
	db := serve(t, cmd, "pgx", dsn)
	_, err = db.Exec(`CREATE TABLE contacts (id int PRIMARY KEY, email text, name text, score numeric(20,2), updated_at timestamp, gone boolean)`)
	require.NoError(t, err)
	insert(t, db, func(i int) string { return fmt.Sprintf("$%d", i) })
	r := open(t, Options{System: "postgres", DSN: dsn, Tables: table("public.contacts")})
	conforms(t, r)
	scopes(t, r)
	_, err = db.Exec("ALTER TABLE contacts ALTER updated_at TYPE timestamptz USING updated_at AT TIME ZONE 'UTC', ALTER id TYPE text")
	require.NoError(t, err)
	conforms(t, open(t, Options{System: "postgres", DSN: dsn, Tables: table("SELECT * FROM contacts")}))
}

func TestMySQL(t *testing.T) {
	dir, at := folder(t, "mysql"), loopback.Port(t)
	install := program(t, "mariadb-install-db", "mysql_install_db")
	out, err := as("mysql", install, "--no-defaults", "--datadir="+dir+"/data", "--auth-root-authentication-method=normal").CombinedOutput()
	require.NoError(t, err, "%s", out)
	cmd := as("mysql", program(t, "mariadbd", "mysqld"), "--no-defaults", "--datadir="+dir+"/data", fmt.Sprintf("--port=%d", at), "--socket="+dir+"/s",
		"--bind-address=127.0.0.1", "--innodb-flush-log-at-trx-commit=0", "--default-time-zone=+05:00")
	db := serve(t, cmd, "mysql", fmt.Sprintf("root@tcp(127.0.0.1:%d)/?multiStatements=true&time_zone=%%27%%2B00%%3A00%%27", at))
	_, err = db.Exec("CREATE DATABASE crm; USE crm; CREATE TABLE contacts (id int PRIMARY KEY, email varchar(200), name varchar(200), score decimal(20,2), updated_at timestamp(3), gone boolean)")
	require.NoError(t, err)
	require.NoError(t, db.Close())
	db, err = sql.Open("mysql", fmt.Sprintf("root@tcp(127.0.0.1:%d)/crm?time_zone=%%27%%2B00%%3A00%%27", at))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	insert(t, db, func(int) string { return "?" })
	r := open(t, Options{System: "mysql", DSN: fmt.Sprintf("mysql://root@127.0.0.1:%d/crm", at), Tables: table("contacts")})
	conforms(t, r)
	scopes(t, r)
}
