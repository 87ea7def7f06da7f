//! Passes the interpreter's build flags on as `cfg`s, so that our code can ask for `Py_GIL_DISABLED`.

fn main() {
    pyo3_build_config::use_pyo3_cfgs();
}
