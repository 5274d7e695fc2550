package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"plumbline.dev/schemas/config"
	cfgload "plumbline.dev/services/internal/config"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/revoke"
	"plumbline.dev/services/standalone"
)

func tokenCommand() *cobra.Command {
	parent := &cobra.Command{Use: "token", Short: "Credentials: what they do, what stops with one, and how to end it", Args: cobra.NoArgs}
	parent.AddCommand(tokenShowCommand(), tokenPreviewCommand(), tokenRevokeCommand(), tokenEvidenceCommand(), tokenImportCommand())
	return parent
}

// tokenUses is every use of every credential that somebody told of, with who
// told: our own attempts, the systems' events, a system's access log.
const tokenUses = `
(
    SELECT tenant, integration, system, token, occurred_at AS at, operation, object, 'attempts' AS seen FROM attempts WHERE token != ''
    UNION ALL
    SELECT tenant, integration, system, token, changed_at AS at, operation, object, 'events' AS seen FROM changes WHERE token != ''
    UNION ALL
    SELECT tenant, integration, system, token, ` + "`at`" + `, operation, object, 'vendor log' AS seen FROM accesses
)`

func tokenShowCommand() *cobra.Command {
	var c common
	cmd := &cobra.Command{
		Use: "show [TOKEN]", Short: "Every credential seen: where, what for, last use, and how much of it we can see", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			filter := "1"
			if len(args) == 1 {
				filter = "u.token = " + warehouse.Quote(args[0])
			}
			return c.rows(cmd, tokenShowSQL(filter), func(scan warehouse.Scan) error {
				var tenant, system, token, operations, objects, integrations, seen, finding string
				var last time.Time
				var uses uint64
				if err := scan(&tenant, &system, &token, &last, &uses, &operations, &objects, &integrations, &seen, &finding); err != nil {
					return err
				}
				verdict := "theft: unknown, no log of the vendor is read"
				switch {
				case finding != "":
					verdict = "strange: " + finding
				case hasLog(seen):
					verdict = "nothing strange in the vendor's log"
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s/%s/%s\n  last used %s, %d uses seen in %s\n  does %s on %s, for %s\n  %s\n",
					tenant, system, token, last.Format(time.RFC3339), uses, seen, operations, objects, integrations, verdict)
				return nil
			})
		},
	}
	c.register(cmd)
	return cmd
}

func tokenShowSQL(filter string) string {
	return `
SELECT u.tenant, u.system, u.token, max(u.at), count(), arrayStringConcat(arraySort(groupUniqArray(20)(u.operation)), ','),
    arrayStringConcat(arraySort(groupUniqArray(20)(u.object)), ','),
    arrayStringConcat(arraySort(arrayFilter(x -> x != '', groupUniqArray(20)(u.integration))), ','),
    arrayStringConcat(arraySort(groupUniqArray(u.seen)), ', '), anyLast(f.summary)
FROM ` + tokenUses + ` AS u
LEFT JOIN (SELECT system, token, argMax(summary, started_at) AS summary FROM signals WHERE kind = 'token_anomaly' AND token != ''
    GROUP BY system, token) AS f ON f.system = u.system AND f.token = u.token
WHERE ` + filter + ` GROUP BY u.tenant, u.system, u.token ORDER BY max(u.at) DESC LIMIT 500`
}

func hasLog(seen string) bool {
	return seen != "attempts" && seen != "events" && seen != "attempts, events"
}

// tokenPreviewCommand says what stops with a credential, before it is ended.
func tokenPreviewCommand() *cobra.Command {
	var c common
	cmd := &cobra.Command{
		Use: "preview TOKEN", Short: "What stops with a credential: syncs, and how many changes an hour will queue", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := c.preview(cmd, args[0])
			if err == nil && n == 0 {
				fmt.Fprintf(cmd.OutOrStdout(), "no sync was seen to use %s in the last 7 days: nothing known stops\n", args[0])
			}
			return err
		},
	}
	c.register(cmd)
	return cmd
}

func (c *common) preview(cmd *cobra.Command, token string) (n int, err error) {
	sql := `
SELECT a.integration, arrayStringConcat(arraySort(groupUniqArray(a.object)), ','), max(a.occurred_at), count(),
    any(d.per_hour), any(d.open)
FROM attempts AS a
LEFT JOIN (SELECT integration, count() / 168 AS per_hour, countIf(state IN ('observed', 'attempted')) AS open
    FROM deliveries WHERE changed_at >= now() - INTERVAL 7 DAY GROUP BY integration) AS d ON d.integration = a.integration
WHERE a.token = ` + warehouse.Quote(token) + ` AND a.occurred_at >= now() - INTERVAL 7 DAY
GROUP BY a.integration ORDER BY count() DESC`
	err = c.rows(cmd, sql, func(scan warehouse.Scan) error {
		var integration, objects string
		var last time.Time
		var uses, open uint64
		var perHour float64
		if err := scan(&integration, &objects, &last, &uses, &perHour, &open); err != nil {
			return err
		}
		n++
		fmt.Fprintf(cmd.OutOrStdout(), "%s stops (%s): about %.0f changes an hour will queue, %d are under way; last used %s, %d attempts in 7 days\n",
			integration, objects, perHour, open, last.Format(time.RFC3339), uses)
		return nil
	})
	return n, err
}

func tokenRevokeCommand() *cobra.Command {
	var c common
	var system, base, secret string
	var yes, private bool
	cmd := &cobra.Command{
		Use: "revoke TOKEN", Args: cobra.ExactArgs(1),
		Short: "End a credential at its vendor, or print the steps; without --yes only what it would do",
		RunE: func(cmd *cobra.Command, args []string) error {
			if system == "" {
				return errors.Join(errUsage, errors.New("say where it is ended: --system hubspot or salesforce"))
			}
			out := cmd.OutOrStdout()
			if _, err := c.preview(cmd, args[0]); err != nil {
				return err
			}
			if !revoke.Calls(system) || secret == "" {
				fmt.Fprintf(out, "to end %s by hand:\n", args[0])
				for i, step := range revoke.Steps(system, args[0]) {
					fmt.Fprintf(out, "  %d. %s\n", i+1, step)
				}
				return nil
			}
			if base == "" && system == "hubspot" {
				base = "https://api.hubapi.com"
			}
			if !yes {
				fmt.Fprintf(out, "would end %s at %s; say --yes to do it\n", args[0], base)
				return nil
			}
			return c.revoke(cmd, args[0], revoke.Token{System: system, Base: base, AllowPrivate: private}, config.Secret(secret))
		},
	}
	c.register(cmd)
	cmd.Flags().StringVar(&system, "system", "", "hubspot, salesforce, ...")
	cmd.Flags().StringVar(&base, "url", "", "the vendor's address, as https://acme.my.salesforce.com")
	cmd.Flags().StringVar(&secret, "secret", "", "the refresh or access token itself, as env:NAME or file:PATH")
	cmd.Flags().BoolVar(&yes, "yes", false, "do it")
	cmd.Flags().BoolVar(&private, "allow-private", false, "the address may be in a private network")
	return cmd
}

// revoke ends a credential and tells it as a signal, so that its later use is
// seen and the failures that follow are explained.
func (c *common) revoke(cmd *cobra.Command, name string, t revoke.Token, ref config.Secret) error {
	_, dir, err := c.load()
	if err != nil {
		return err
	}
	raw, err := cfgload.Secrets{Dir: dir}.Resolve(ref)
	if err != nil {
		return err
	}
	t.Secret = string(raw)
	began := time.Now()
	said, err := revoke.Do(cmd.Context(), t)
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "ended %s in %s: %s\n", name, time.Since(began).Round(time.Millisecond), said)
	err = c.post(cmd.Context(), "signals", map[string]any{
		"kind": "token_rotation", "system": t.System, "token": name, "started_at": began.UTC().Format(time.RFC3339Nano),
		"summary": name + " was revoked",
	})
	if err != nil {
		return fmt.Errorf("it is ended, but could not be noted: %w", err)
	}
	return nil
}

func tokenEvidenceCommand() *cobra.Command {
	var c common
	var since string
	cmd := &cobra.Command{
		Use: "evidence TOKEN", Short: "Every use of a credential that was seen, as JSON lines", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, err := moment(since)
			if err != nil {
				return errors.Join(errUsage, err)
			}
			o, err := c.options()
			if err != nil {
				return err
			}
			db, err := standalone.OpenWarehouse(cmd.Context(), o)
			if err != nil {
				return err
			}
			defer db.Close()
			enc := json.NewEncoder(cmd.OutOrStdout())
			for _, table := range [][2]string{{"accesses", "at"}, {"attempts", "occurred_at"}, {"changes", "changed_at"}, {"signals", "started_at"}} {
				sql := fmt.Sprintf("SELECT toString(%[2]s), formatRow('JSONEachRow', *) FROM %[1]s WHERE token = %[3]s AND %[2]s >= fromUnixTimestamp64Milli(%[4]d, 'UTC') ORDER BY %[2]s SETTINGS output_format_json_escape_forward_slashes = 0",
					table[0], "`"+table[1]+"`", warehouse.Quote(args[0]), max(from.UnixMilli(), 0))
				err := db.Each(cmd.Context(), sql, func(scan warehouse.Scan) error {
					var at, row string
					if err := scan(&at, &row); err != nil {
						return err
					}
					return enc.Encode(map[string]any{"table": table[0], "at": at, "row": json.RawMessage(row)})
				})
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.register(cmd)
	cmd.Flags().StringVar(&since, "since", "", "only since: 2026-11-03T10:00:00Z, or 72h")
	return cmd
}
