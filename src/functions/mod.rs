//! The functions of the language: what they are called, what they take and give, and what computes them.
//!
//! ```text
//! built_in: signatures as text ── signature ──▶ Function ──▶ Registry ◀── plugins
//!                                                                │
//!           name and argument types of a call ── resolve ──▶ Variation ── bind ──▶ type of the result, body
//! ```
//!
//! A [`Variation`] without a body can be planned but not run. A body stands in a file of its own beside the signatures
//! (`built_in/concat.rs` is the smallest one), and sees arrays only.

mod binding;
mod body;
mod built_in;
mod definition;
mod function;
mod lambda;
mod param_type;
pub mod plugins;
mod registry;
mod replacement;
mod resolve;
pub mod signature;
mod synonyms;

pub use binding::Binding;
pub use body::{AggregateBody, ExpressionSize, Failures, InlineScalar, ScalarBody, TableBody};
pub use built_in::Now;
pub use function::{Function, FunctionKind, Parameter, Returns, Variation};
pub use lambda::{Lambda, LambdaBody, LambdaCall, LambdaFunction};
pub use param_type::ParamType;
pub use registry::Registry;
pub use replacement::{Replacement, Unfit};
pub use resolve::{Argument, Unresolved};
pub use synonyms::instead_of;
