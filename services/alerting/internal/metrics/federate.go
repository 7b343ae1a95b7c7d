package metrics

import (
	"net/http"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	staleness "github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// stats tells the API about the store.
type stats struct{ *tsdb.DB }

func (s stats) Stats(byLabel string, limit int) (*tsdb.Stats, error) {
	return s.Head().Stats(byLabel, limit), nil
}

func (s stats) WALReplayStatus() (tsdb.WALReplayStatus, error) { return tsdb.WALReplayStatus{}, nil }

func (s stats) BlockMetas() ([]tsdb.BlockMeta, error) { return s.DB.BlockMetas(), nil }

// federate gives the newest sample of the series that match[] selects, for another
// Prometheus to scrape. Native histograms are left out.
func (e *Engine) federate(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, "read the parameters: "+err.Error(), http.StatusBadRequest)
		return
	}
	sets, err := e.parser.ParseMetricSelectors(r.Form["match[]"])
	if err != nil {
		http.Error(w, "match[]: "+err.Error(), http.StatusBadRequest)
		return
	}
	now := time.Now()
	hints := &storage.SelectHints{Start: now.Add(-lookback).UnixMilli(), End: now.UnixMilli()}
	q, err := e.db.Querier(hints.Start, hints.End)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer func() { _ = q.Close() }()
	var found []storage.SeriesSet
	for _, set := range sets {
		found = append(found, q.Select(r.Context(), true, hints, set...))
	}
	format := expfmt.NegotiateAccept(r.Header, expfmt.DefaultAcceptedFormats()...)
	w.Header().Set("Content-Type", string(format))
	if err := newest(storage.NewMergeSeriesSet(found, 0, storage.ChainedSeriesMerge), expfmt.NewEncoder(w, format)); err != nil {
		e.d.Logger.Debug("federate", "error", err)
	}
}

// newest encodes the newest sample of each series, the series of a name together.
func newest(set storage.SeriesSet, enc expfmt.Encoder) error {
	var family *dto.MetricFamily
	flush := func() error {
		if family == nil {
			return nil
		}
		return enc.Encode(family)
	}
	var it chunkenc.Iterator
	for set.Next() {
		s := set.At()
		at, v, ok := int64(0), 0.0, false
		it = s.Iterator(it)
		for t := it.Next(); t != chunkenc.ValNone; t = it.Next() {
			if t == chunkenc.ValFloat {
				at, v = it.At()
				ok = true
			}
		}
		if err := it.Err(); err != nil {
			return err
		}
		if !ok || staleness.IsStaleNaN(v) {
			continue
		}
		name := s.Labels().Get(model.MetricNameLabel)
		if family == nil || family.GetName() != name {
			if err := flush(); err != nil {
				return err
			}
			family = &dto.MetricFamily{Name: &name, Type: dto.MetricType_UNTYPED.Enum()}
		}
		family.Metric = append(family.Metric, &dto.Metric{Label: pairs(s.Labels()), Untyped: &dto.Untyped{Value: &v}, TimestampMs: &at})
	}
	if err := set.Err(); err != nil {
		return err
	}
	return flush()
}

func pairs(ls labels.Labels) []*dto.LabelPair {
	var out []*dto.LabelPair
	ls.Range(func(l labels.Label) {
		if l.Name != model.MetricNameLabel {
			out = append(out, &dto.LabelPair{Name: &l.Name, Value: &l.Value})
		}
	})
	return out
}
