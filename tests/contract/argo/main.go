// Argo Rollouts' own metric providers, driven by a test: a metric as JSON on standard input, its
// measurement as JSON on standard output.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/argoproj/argo-rollouts/metricproviders/kayenta"
	"github.com/argoproj/argo-rollouts/metricproviders/webmetric"
	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	log "github.com/sirupsen/logrus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Argo polls every 15 seconds; a test need not wait so long.
const pollEvery = 200 * time.Millisecond

func main() {
	var metric v1alpha1.Metric
	if err := json.NewDecoder(os.Stdin).Decode(&metric); err != nil {
		fail(err)
	}
	log.SetOutput(os.Stderr)
	measurement, err := measure(metric)
	if err != nil {
		fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(measurement); err != nil {
		fail(err)
	}
}

func measure(metric v1alpha1.Metric) (v1alpha1.Measurement, error) {
	logger := *log.WithField("metric", metric.Name)
	run := &v1alpha1.AnalysisRun{}
	started := metav1.Now()
	run.Status.StartedAt = &started
	if metric.Provider.Kayenta != nil {
		provider := kayenta.NewKayentaProvider(logger, kayenta.NewHttpClient())
		measurement := provider.Run(run, metric)
		for measurement.Phase == v1alpha1.AnalysisPhaseRunning {
			time.Sleep(pollEvery)
			measurement = provider.Resume(run, metric, measurement)
		}
		return measurement, nil
	}
	client, err := webmetric.NewWebMetricHttpClient(metric)
	if err != nil {
		return v1alpha1.Measurement{}, err
	}
	parser, err := webmetric.NewWebMetricJsonParser(metric)
	if err != nil {
		return v1alpha1.Measurement{}, err
	}
	return webmetric.NewWebMetricProvider(logger, client, parser).Run(run, metric), nil
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
