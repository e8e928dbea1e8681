//! One metric a label: all of them are there from the start, so that nothing is looked up later.

use std::fmt;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;

/// Names and values of labels.
pub(crate) type Labels = Vec<(&'static str, String)>;

#[derive(Clone, Debug)]
pub(crate) struct Children<M> {
    list: Vec<(Labels, M)>,
}

impl<M: Clone> Children<M> {
    /// A child for each of the values of one label.
    pub(crate) fn of<V: Into<String>>(
        label: &'static str,
        values: impl IntoIterator<Item = V>,
        make: impl Fn() -> M,
    ) -> Self {
        Self::new(values.into_iter().map(|value| vec![(label, value.into())]), make)
    }

    pub(crate) fn new(labels: impl IntoIterator<Item = Labels>, make: impl Fn() -> M) -> Self {
        Self { list: labels.into_iter().map(|labels| (labels, make())).collect() }
    }

    /// The child of the label at this place.
    pub(crate) fn at(&self, place: usize) -> Option<&M> {
        self.list.get(place).map(|(_, child)| child)
    }
}

impl<M: EncodeMetric> EncodeMetric for Children<M> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        self.list
            .iter()
            .try_for_each(|(labels, child)| child.encode(encoder.encode_family(labels)?))
    }

    fn metric_type(&self) -> MetricType {
        self.list.first().map_or(MetricType::Unknown, |(_, child)| child.metric_type())
    }

    fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}
