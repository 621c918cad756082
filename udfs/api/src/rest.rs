//! The last parameter, given any number of times.

/// The values that one row gives to a parameter that may be given any number of times. NULL is `None`.
#[derive(Clone, Copy)]
pub struct Rest<'a, T> {
    len: usize,
    get: &'a dyn Fn(usize) -> Option<T>,
}

impl<'a, T> Rest<'a, T> {
    /// The `len` values that `get` gives.
    pub fn new(len: usize, get: &'a dyn Fn(usize) -> Option<T>) -> Self {
        Self { len, get }
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The values in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<T>> {
        (0..self.len).map(self.get)
    }

    /// The value at `index`; `None` if it is NULL or there are not so many.
    pub fn get(&self, index: usize) -> Option<T> {
        if index < self.len { (self.get)(index) } else { None }
    }
}
