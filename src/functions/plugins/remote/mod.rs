//! Functions in libraries, as the engine sees functions.

mod aggregate;
mod scalar;

pub(super) use aggregate::RemoteAggregate;
pub(super) use scalar::RemoteScalar;
