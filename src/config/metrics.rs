//! config/metrics: the figures of a scan that a team may keep in bounds, and the bounds.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::error::ConfigError;
use super::file::Text;
use super::layer::Layer;
use crate::nearest::nearest;

/// A figure of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Figure {
    /// The share of writes whose duties are all set or covered, in percent.
    Coverage,
    /// The same for each model by itself.
    ModelCoverage,
    /// The share of writes with no duty missing, in percent.
    CompliantWrites,
    /// Open findings for every thousand writes.
    FindingsPerThousandWrites,
    /// Open errors for every thousand writes.
    ErrorsPerThousandWrites,
    /// The share of suppressions that name an owner, in percent.
    OwnedSuppressions,
    /// The share of suppressions that give a reason, in percent.
    ReasonedSuppressions,
    /// How many suppressions are past their last day.
    ExpiredSuppressions,
    /// How many findings a baseline accepts.
    BaselinedFindings,
    /// How many things could not be read or understood.
    Gaps,
}

impl Figure {
    /// All of them, in the order they are shown.
    pub const ALL: [Figure; 10] = [
        Figure::Coverage,
        Figure::ModelCoverage,
        Figure::CompliantWrites,
        Figure::FindingsPerThousandWrites,
        Figure::ErrorsPerThousandWrites,
        Figure::OwnedSuppressions,
        Figure::ReasonedSuppressions,
        Figure::ExpiredSuppressions,
        Figure::BaselinedFindings,
        Figure::Gaps,
    ];

    /// Its name, everywhere.
    pub fn word(self) -> &'static str {
        match self {
            Figure::Coverage => "coverage",
            Figure::ModelCoverage => "model-coverage",
            Figure::CompliantWrites => "compliant-writes",
            Figure::FindingsPerThousandWrites => "findings-per-1000-writes",
            Figure::ErrorsPerThousandWrites => "errors-per-1000-writes",
            Figure::OwnedSuppressions => "owned-suppressions",
            Figure::ReasonedSuppressions => "reasoned-suppressions",
            Figure::ExpiredSuppressions => "expired-suppressions",
            Figure::BaselinedFindings => "baselined-findings",
            Figure::Gaps => "gaps",
        }
    }

    /// Whether it is a share in percent.
    pub fn is_share(self) -> bool {
        use Figure::{CompliantWrites, Coverage, ModelCoverage, OwnedSuppressions, ReasonedSuppressions};
        matches!(self, Coverage | ModelCoverage | CompliantWrites | OwnedSuppressions | ReasonedSuppressions)
    }

    /// The figure of a name.
    pub fn named(word: &str) -> Option<Figure> {
        Figure::ALL.into_iter().find(|figure| figure.word() == word)
    }
}

/// What a figure is to stay within, both ends included.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bounds {
    /// The least it may be.
    pub min: Option<f64>,
    /// The most it may be.
    pub max: Option<f64>,
    /// From how many things it has to be computed to mean anything: writes or suppressions.
    pub min_sample: u64,
}

/// One `[metrics.NAME]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct BoundsTable {
    min: Option<Spanned<f64>>,
    max: Option<Spanned<f64>>,
    min_sample: Option<u64>,
}

impl Layer<'_> {
    /// The bounds that `[metrics]` sets.
    pub(super) fn metrics(
        &self,
        tables: BTreeMap<Text, BoundsTable>,
        metrics: &mut BTreeMap<Figure, Bounds>,
    ) -> Result<(), Box<ConfigError>> {
        for (name, table) in tables {
            let known = || Figure::ALL.into_iter().map(Figure::word);
            let Some(figure) = Figure::named(name.get_ref()) else {
                let help = match nearest(name.get_ref(), known()) {
                    Some(word) => format!("did you mean `{word}`?"),
                    None => format!("known here: {}", known().collect::<Vec<_>>().join(", ")),
                };
                let message = format!("unknown metric `{}`", name.get_ref());
                return Err(self.fault(&name, &message).with_help(Some(help)));
            };
            for end in [&table.min, &table.max].into_iter().flatten() {
                if !end.get_ref().is_finite() || *end.get_ref() < 0.0 {
                    return Err(self.fault(end, "not a number from 0 up"));
                }
                if figure.is_share() && *end.get_ref() > 100.0 {
                    return Err(self.fault(end, "more than 100 %"));
                }
            }
            let bounds = Bounds {
                min: table.min.as_ref().map(|min| *min.get_ref()),
                max: table.max.as_ref().map(|max| *max.get_ref()),
                min_sample: table.min_sample.unwrap_or_default(),
            };
            match (&table.max, bounds.min, bounds.max) {
                (_, None, None) => {
                    let help = "give `min`, `max` or both".to_owned();
                    return Err(self.fault(&name, "this metric has no bound").with_help(Some(help)));
                }
                (Some(at), Some(min), Some(max)) if max < min => {
                    return Err(self.fault(at, "`max` is below `min`"));
                }
                _ => drop(metrics.insert(figure, bounds)),
            }
        }
        Ok(())
    }
}
