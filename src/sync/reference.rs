/// x
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("x")]
pub struct ReferenceFault;
