//! terzetto-kernels.
