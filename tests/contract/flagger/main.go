// Flagger's own callers, driven by a test: what to do as JSON on standard input, what came of it
// as JSON on standard output.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	flaggerv1 "github.com/fluxcd/flagger/pkg/apis/flagger/v1beta1"
	"github.com/fluxcd/flagger/pkg/controller"
	"github.com/fluxcd/flagger/pkg/metrics/providers"
)

type order struct {
	Canary   flaggerv1.Canary                  `json:"canary"`
	Webhook  *flaggerv1.CanaryWebhook          `json:"webhook"`
	Provider *flaggerv1.MetricTemplateProvider `json:"provider"`
	Query    string                            `json:"query"`
}

type outcome struct {
	Refused string  `json:"refused"` // what Flagger shows; empty if it was let through
	Online  bool    `json:"online"`
	Value   float64 `json:"value"`
}

func main() {
	var given order
	if err := json.NewDecoder(os.Stdin).Decode(&given); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(carryOut(given)); err != nil {
		os.Exit(1)
	}
}

func carryOut(given order) outcome {
	if given.Webhook != nil {
		return outcome{Refused: said(call(given))}
	}
	provider, err := providers.NewPrometheusProvider(*given.Provider, nil)
	if err != nil {
		return outcome{Refused: said(err)}
	}
	online, err := provider.IsOnline()
	if err != nil {
		return outcome{Refused: said(err)}
	}
	value, err := provider.RunQuery(given.Query)
	return outcome{Refused: said(err), Online: online, Value: value}
}

func call(given order) error {
	if given.Webhook.Type == flaggerv1.EventHook {
		return controller.CallEventWebhook(&given.Canary, *given.Webhook, "message", "Normal")
	}
	return controller.CallWebhook(given.Canary, flaggerv1.CanaryPhaseProgressing, *given.Webhook)
}

func said(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
