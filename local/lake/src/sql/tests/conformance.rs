//! Others' cases, where the folder with them is present.
