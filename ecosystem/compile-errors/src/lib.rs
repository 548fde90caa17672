//! What the compiler says about common mistakes. The mistakes are in `cases/`, with the messages that the documentation
//! of `terzetto::compile_errors` explains.
