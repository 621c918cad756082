//! Where the values of a field come from.

use fastrand::Rng;
use regex_syntax::hir::Hir;

/// A source of values, and what it is made of.
#[derive(Debug)]
pub(super) enum Node {
    /// Always null.
    Null,
    /// The inner value, or null as often as this says.
    Nullable { odds: f64, inner: Box<Node> },
    /// One of these JSON texts.
    Options { texts: Vec<String>, pick: Pick },
    /// One after the other.
    Iteration(Iteration),
    /// Whole numbers from `min` on, `max` not included.
    Whole { min: i64, max: i64, spread: Spread },
    /// Numbers from `min` on, `max` not included.
    Number { min: f64, max: f64, spread: Spread },
    /// True as often as this says.
    Boolean { odds: f64 },
    /// Letters and digits, this many.
    Text { affix: Affix, length: Length },
    /// Texts that match.
    Pattern { affix: Affix, pattern: Box<Hir> },
    /// A random UUID.
    Uuid,
    /// Bytes, this many.
    Bytes { length: Length },
    /// A decimal of so many digits, of which `scale` stand behind the point.
    Decimal { digits: u32, scale: u32 },
    /// The record's time.
    Time(TimeUnit),
    /// So many of the same kind.
    Array { items: Box<Node>, length: Length },
    /// So many under random names.
    Map { keys: Box<Node>, values: Box<Node>, length: Length },
    /// Fields, each behind its name as JSON.
    Record(Vec<(String, Node)>),
}

/// What a time is counted in.
#[derive(Debug, Clone, Copy)]
pub(super) enum TimeUnit {
    /// Days since 1970.
    Days,
    /// Milliseconds of the day.
    MillisOfDay,
    /// Milliseconds since 1970.
    Millis,
}

/// What stands around every text.
#[derive(Debug, Default)]
pub(super) struct Affix {
    pub(super) prefix: String,
    pub(super) suffix: String,
}

/// How many: from `min` on, `max` not included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Length {
    pub(super) min: usize,
    pub(super) max: usize,
}

impl Length {
    pub(super) fn exactly(length: usize) -> Self {
        Self { min: length, max: length + 1 }
    }

    pub(super) fn draw(self, random: &mut Rng) -> usize {
        random.usize(self.min..self.max)
    }
}

/// How values are spread over their range.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Spread {
    /// All alike.
    #[default]
    Uniform,
    /// A bell: most in the middle, a sixth of the range as deviation.
    Normal,
    /// Fewer and fewer from the beginning on, a fifth of the range as mean.
    Exponential,
    /// Few values are frequent, many rare: the n-th is about 1/n as frequent as the first.
    Zipf,
}

impl Spread {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "uniform" => Self::Uniform,
            "normal" => Self::Normal,
            "exponential" => Self::Exponential,
            "zipf" => Self::Zipf,
            _ => return None,
        })
    }

    /// A place in a range of `width`, from 0 on.
    pub(super) fn draw(self, width: f64, random: &mut Rng) -> f64 {
        const BELL_WIDTHS: f64 = 6.0;
        const TAIL_MEANS: f64 = 5.0;
        loop {
            let place = match self {
                Self::Uniform => random.f64(),
                Self::Normal => {
                    // Box and Muller's transform.
                    let (radius, angle) = (1.0 - random.f64(), random.f64() * std::f64::consts::TAU);
                    0.5 + (-2.0 * radius.ln()).sqrt() * angle.cos() / BELL_WIDTHS
                }
                Self::Exponential => -(1.0 - random.f64()).ln() / TAIL_MEANS,
                // The place below which a share of a density of 1/x lies.
                Self::Zipf => return (width + 1.0).powf(random.f64()) - 1.0,
            };
            // What falls outside is drawn again.
            if (0.0..1.0).contains(&place) {
                return place * width;
            }
        }
    }
}

/// How one of several is chosen.
#[derive(Debug)]
pub(super) enum Pick {
    Spread(Spread),
    /// Sums of the weights up to each.
    Weights(Vec<f64>),
}

impl Pick {
    pub(super) fn draw(&self, count: usize, random: &mut Rng) -> usize {
        let index = match self {
            Self::Spread(spread) => spread.draw(count as f64, random) as usize,
            Self::Weights(sums) => {
                let place = random.f64() * sums.last().copied().unwrap_or_default();
                sums.partition_point(|sum| *sum <= place)
            }
        };
        index.min(count - 1)
    }
}

/// Values one after the other.
#[derive(Debug)]
pub(super) struct Iteration {
    pub(super) next: f64,
    pub(super) start: f64,
    pub(super) step: f64,
    /// Where it starts again, not included; the other side of the type's range if nobody says.
    pub(super) restart: f64,
    pub(super) form: IterationForm,
}

/// What the values of an iteration are.
#[derive(Debug)]
pub(super) enum IterationForm {
    Whole,
    Number,
    Text(Affix),
    /// False for even numbers.
    Boolean,
}

impl Iteration {
    /// The next value.
    pub(super) fn advance(&mut self) -> f64 {
        let now = self.next;
        self.next += self.step;
        let is_over = if self.step > 0.0 { self.next >= self.restart } else { self.next <= self.restart };
        if is_over {
            self.next = self.start;
        }
        now
    }
}
