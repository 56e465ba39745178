//! A query under its caller's role: all it touches in Glue and S3 is the caller's to be allowed.
//! <https://docs.aws.amazon.com/athena/latest/ug/security-iam-athena.html>

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lake::Watch;
use lake::watch::{Refused, Touch, Verb};
use uuid::Uuid;

use super::query::AthenaError;
use crate::iam::action;
use crate::iam::denial::Refusal;
use crate::iam::{Caller, Need};
use crate::services::Services;

const SERVICE: &str = "athena.amazonaws.com";

/// What one query may do, and has been refused.
pub(super) struct Permission {
    services: Services,
    caller: Caller,
    /// Whether the statement is run as Hive's DDL, which has words of its own.
    is_ddl: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    allowed: HashSet<Need>,
    /// The first refusal. After it nothing is allowed any more.
    refusal: Option<AthenaError>,
    /// Objects whose bytes are being written.
    begun: BTreeSet<(String, String)>,
}

impl Permission {
    /// `None` for the account's root, who may do everything.
    pub fn of(services: Option<Services>, caller: &Caller, is_ddl: bool) -> Option<Arc<Self>> {
        let services = services.filter(|_| *caller != Caller::Root)?;
        let state = Mutex::default();
        Some(Arc::new(Permission { services, caller: caller.clone(), is_ddl, state }))
    }

    /// The watch to run the query's lake under.
    pub fn watch(self: &Arc<Self>) -> Watch {
        let permission = self.clone();
        Watch::new(move |touch| permission.touch(touch))
    }

    /// What every statement needs whatever it says: the `default` database is looked at first, and made if need be.
    /// <https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html>
    pub fn begin(&self, substatement: &str) -> Result<(), Refused> {
        let default = |verb| Touch::Database { verb, name: Some("default") };
        self.touch(default(Verb::Read))?;
        if substatement == "CREATE_DATABASE" {
            self.touch(default(Verb::Create))?;
        }
        Ok(())
    }

    fn touch(&self, touch: Touch<'_>) -> Result<(), Refused> {
        if let Some(refusal) = &self.state().refusal {
            return Err(Refused(refusal.message.clone()));
        }
        for need in self.needs(touch) {
            if self.state().allowed.contains(&need) {
                continue;
            }
            if let Err(refusal) = self.services.authorise(&self.caller, &need) {
                let error = self.worded(touch, &refusal);
                let refused = Refused(error.message.clone());
                self.state().refusal = Some(error);
                return Err(refused);
            }
            self.state().allowed.insert(need);
        }
        if let Touch::Object { verb, bucket, key } = touch {
            let place = || (bucket.to_owned(), key.to_owned());
            match verb {
                Verb::Begin => {
                    self.state().begun.insert(place());
                    // Large files go up in parts, which are looked at before they are put together.
                    for action in ["s3:ListMultipartUploadParts", "s3:GetObject"] {
                        let need = called(Need::s3(action, bucket, Some(key)));
                        self.services.authorise_quietly(&self.caller, &need);
                    }
                }
                Verb::Create => drop(self.state().begun.remove(&place())),
                Verb::Read | Verb::List | Verb::Replace | Verb::Delete => {}
            }
        }
        Ok(())
    }

    /// Why the query must fail, whatever became of it.
    pub fn refusal(&self) -> Option<AthenaError> {
        self.state().refusal.clone()
    }

    /// A query that ends in the middle of writing leaves uploads behind, which Athena looks for and aborts. Where it
    /// may not, they stay.
    pub fn abandon(&self) {
        let begun = std::mem::take(&mut self.state().begun);
        for (bucket, key) in begun {
            let list = Need::s3("s3:ListBucketMultipartUploads", &bucket, None);
            let abort = Need::s3("s3:AbortMultipartUpload", &bucket, Some(&key));
            for need in [list, abort] {
                self.services.authorise_quietly(&self.caller, &called(need));
            }
        }
    }

    fn needs(&self, touch: Touch<'_>) -> Vec<Need> {
        let needs = match touch {
            Touch::Database { verb, name } => {
                let operation = match verb {
                    Verb::List => "GetDatabases",
                    Verb::Read => "GetDatabase",
                    Verb::Begin | Verb::Create => "CreateDatabase",
                    Verb::Replace => "UpdateDatabase",
                    Verb::Delete => "DeleteDatabase",
                };
                self.glue(operation, name, None)
            }
            Touch::Table { verb, database, name } => {
                let operation = match verb {
                    Verb::List => "GetTables",
                    Verb::Read => "GetTable",
                    Verb::Begin | Verb::Create => "CreateTable",
                    Verb::Replace => "UpdateTable",
                    Verb::Delete => "DeleteTable",
                };
                self.glue(operation, Some(database), name)
            }
            Touch::Partition { verb, database, table } => {
                // Partitions are looked up by their values, then read by name.
                if verb == Verb::List {
                    let read = self.glue("BatchGetPartition", Some(database), Some(table));
                    let listed = self.glue("GetPartitions", Some(database), Some(table));
                    return listed.into_iter().chain(read).map(called).collect();
                }
                let operation = match verb {
                    Verb::List => unreachable!("listed above"),
                    Verb::Read => "GetPartition",
                    Verb::Begin | Verb::Create => "BatchCreatePartition",
                    Verb::Replace => "UpdatePartition",
                    Verb::Delete => "DeletePartition",
                };
                self.glue(operation, Some(database), Some(table))
            }
            Touch::Object { verb, bucket, key } => match verb {
                Verb::List => vec![
                    Need::s3("s3:GetBucketLocation", bucket, None),
                    Need::s3("s3:ListBucket", bucket, None).with("s3:prefix", key),
                ],
                Verb::Read => vec![Need::s3("s3:GetObject", bucket, Some(key))],
                Verb::Begin | Verb::Create | Verb::Replace => vec![
                    Need::s3("s3:GetBucketLocation", bucket, None),
                    Need::s3("s3:PutObject", bucket, Some(key)),
                ],
                Verb::Delete => vec![Need::s3("s3:DeleteObject", bucket, Some(key))],
            },
        };
        needs.into_iter().map(called).collect()
    }

    fn glue(&self, operation: &str, database: Option<&str>, table: Option<&str>) -> Vec<Need> {
        action::glue(&self.services, operation, database, table, &serde_json::Value::Null)
    }

    /// Athena's words for what was refused.
    fn worded(&self, touch: Touch<'_>, refusal: &Refusal) -> AthenaError {
        // 401: the results cannot be written; 1009: the query failed.
        let (error_type, message) = match touch {
            Touch::Object { verb: Verb::Begin | Verb::Create | Verb::Replace, bucket, key } => (
                401,
                format!(
                    "Access denied when writing output to url: s3://{bucket}/{key} . Please ensure you are allowed to access the S3 bucket. If you are encrypting query results with KMS key, please ensure you are allowed to access your KMS key"
                ),
            ),
            Touch::Object { bucket, key, .. } => {
                (1009, format!("Permission denied on S3 path: s3://{bucket}/{key}"))
            }
            Touch::Database { .. } | Touch::Table { .. } | Touch::Partition { .. }
                if self.is_ddl =>
            {
                let id = Uuid::new_v4();
                (
                    1003,
                    format!(
                        "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. MetaException(message:{refusal} (Service: AmazonDataCatalog; Status Code: 400; Error Code: AccessDeniedException; Request ID: {id}; Proxy: null))"
                    ),
                )
            }
            Touch::Database { .. } | Touch::Table { .. } | Touch::Partition { .. } => {
                (1009, format!("Insufficient permissions to execute the query. {refusal}"))
            }
        };
        AthenaError { category: 2, error_type, retryable: false, message }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As Athena calls on behalf of its caller.
pub(super) fn called(need: Need) -> Need {
    need.with("aws:CalledVia", SERVICE)
        .with("aws:CalledViaFirst", SERVICE)
        .with("aws:CalledViaLast", SERVICE)
        .with("aws:ViaAWSService", "true")
}
