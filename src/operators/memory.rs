//! How memory is divided when there is too little of it.

/// How many of `keys` keys, which take `used` bytes, fit into `bytes`.
pub(super) fn keys_within(bytes: usize, keys: usize, used: usize) -> usize {
    if used <= bytes { keys } else { share(bytes, keys, used) }
}

/// What of `bytes` is left to a part that takes `own` of `all` bytes.
pub(crate) fn share(bytes: usize, own: usize, all: usize) -> usize {
    (bytes as u128 * own as u128 / all.max(1) as u128) as usize
}
