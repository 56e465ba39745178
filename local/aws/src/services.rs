//! All services of one account on one data directory, and the router before them.

use std::sync::{Arc, OnceLock, Weak};

use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use lake::Lake;
use serde_json::Value;
use uuid::Uuid;

use crate::athena::Athena;
use crate::cloudwatch::CloudWatch;
use crate::eventbridge::{EventBridge, Sources};
use crate::glue::Glue;
use crate::iam::{Caller, Iam, Need, action};
use crate::lambda::{Answer, Lambda};
use crate::logs::Logs;
use crate::metering::{Counted, METRIC, Meters, Sender, of_request};
use crate::s3::S3;
use crate::scheduler::Scheduler;
use crate::sns::Sns;
use crate::sqs::Sqs;
use crate::stepfunctions::StepFunctions;
use crate::wire::{Body, ServiceError, Target, body, cbor, door, json, query};
use crate::xray::XRay;
use crate::{Settings, StandIns, local_door, sqs};

/// The services. Cheap to clone; everything ends when the last clone is dropped.
#[derive(Clone)]
pub struct Services(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    settings: Arc<Settings>,
    pub(crate) stand_ins: StandIns,
    lake: Lake,
    athena: Athena,
    cloudwatch: CloudWatch,
    eventbridge: EventBridge,
    glue: Glue,
    iam: Iam,
    lambda: Lambda,
    logs: Arc<Logs>,
    meters: Arc<Meters>,
    s3: S3,
    scheduler: Scheduler,
    sns: Sns,
    sqs: Sqs,
    stepfunctions: Arc<StepFunctions>,
    xray: Arc<XRay>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stepfunctions.halt();
    }
}

/// How a service reaches the others without keeping them alive.
#[derive(Clone, Default)]
pub struct Link(Arc<OnceLock<Weak<Inner>>>);

impl Link {
    /// `None` before all services stand and after they have been dropped.
    pub fn services(&self) -> Option<Services> {
        self.0.get()?.upgrade().map(Services)
    }

    /// The same, for operations, which need an answer.
    pub fn require(&self) -> Result<Services, ServiceError> {
        self.services()
            .ok_or_else(|| ServiceError::new("ServiceUnavailable", "shutting down").status(503))
    }
}

impl Services {
    /// Opens all services on a data directory. To be called inside a Tokio runtime, which runs what they do in
    /// the background.
    pub fn open(lake: Lake, settings: Settings) -> Result<Self, ServiceError> {
        Self::open_with(lake, settings, StandIns::default())
    }

    /// The same, with other functions and another network than the usual ones.
    pub fn open_with(
        lake: Lake,
        settings: Settings,
        stand_ins: StandIns,
    ) -> Result<Self, ServiceError> {
        let settings = Arc::new(settings);
        let link = Link::default();
        let logs = Arc::new(Logs::open(&lake, settings.clone())?);
        let meters = Arc::new(Meters::open(lake.database())?);
        let xray = Arc::new(XRay::open(lake.database())?);
        let (notices, bus) = tokio::sync::mpsc::unbounded_channel();
        let sources = Sources { notices: bus, objects: lake.store.subscribe() };
        let inner = Arc::new(Inner {
            eventbridge: EventBridge::open(&lake, settings.clone(), link.clone())?,
            scheduler: Scheduler::open(&lake, settings.clone(), link.clone())?,
            stepfunctions: StepFunctions::open(
                &lake,
                settings.clone(),
                link.clone(),
                notices,
                meters.clone(),
                xray.clone(),
            )?,
            athena: Athena::open(
                &lake,
                settings.clone(),
                meters.clone(),
                stand_ins.athena.clone(),
                link.clone(),
            )?,
            glue: Glue::open(&lake, settings.clone())?,
            iam: Iam::open(&lake, settings.clone())?,
            s3: S3::new(lake.store.clone(), settings.clone(), meters.clone(), link.clone()),
            lambda: Lambda::open(
                &lake,
                settings.clone(),
                logs.clone(),
                meters.clone(),
                xray.clone(),
                link.clone(),
                stand_ins.functions.clone(),
            )?,
            cloudwatch: CloudWatch::open(&lake, settings.clone(), link.clone())?,
            sns: Sns::open(&lake, settings.clone(), link.clone())?,
            sqs: Sqs::open(&lake, settings.clone())?,
            logs,
            meters,
            xray,
            lake,
            settings,
            stand_ins,
        });
        // Nobody else has had this link, so it is empty.
        let _ = link.0.set(Arc::downgrade(&inner));
        tokio::spawn(EventBridge::listen(link, sources));
        Ok(Services(inner))
    }

    /// A way back to these services that does not keep them alive.
    pub fn link(&self) -> Link {
        Link(Arc::new(OnceLock::from(Arc::downgrade(&self.0))))
    }

    pub fn settings(&self) -> &Arc<Settings> {
        &self.0.settings
    }

    pub fn lake(&self) -> &Lake {
        &self.0.lake
    }

    pub fn athena(&self) -> &Athena {
        &self.0.athena
    }

    pub fn glue(&self) -> &Glue {
        &self.0.glue
    }

    pub fn iam(&self) -> &Iam {
        &self.0.iam
    }

    pub fn s3(&self) -> &S3 {
        &self.0.s3
    }

    pub fn lambda(&self) -> &Lambda {
        &self.0.lambda
    }

    pub fn logs(&self) -> &Logs {
        &self.0.logs
    }

    /// What AWS would bill of the work done here.
    pub fn meters(&self) -> &Meters {
        &self.0.meters
    }

    pub fn xray(&self) -> &XRay {
        &self.0.xray
    }

    pub fn sqs(&self) -> &Sqs {
        &self.0.sqs
    }

    pub fn cloudwatch(&self) -> &CloudWatch {
        &self.0.cloudwatch
    }

    pub fn sns(&self) -> &Sns {
        &self.0.sns
    }

    pub fn eventbridge(&self) -> &EventBridge {
        &self.0.eventbridge
    }

    pub fn scheduler(&self) -> &Scheduler {
        &self.0.scheduler
    }

    pub fn stepfunctions(&self) -> &Arc<StepFunctions> {
        &self.0.stepfunctions
    }

    /// One operation of one service as the account's root, in the API's JSON shapes. `service` is the name that AWS
    /// signs requests for (`states`, `athena`, `monitoring`, …).
    pub async fn dispatch(
        &self,
        service: &str,
        action: &str,
        input: Value,
    ) -> Result<Value, ServiceError> {
        self.dispatch_as(&Caller::Root, service, action, input).await
    }

    /// The same as somebody, who must be allowed to.
    pub async fn dispatch_as(
        &self,
        caller: &Caller,
        service: &str,
        action: &str,
        input: Value,
    ) -> Result<Value, ServiceError> {
        self.permit(caller, service, action, &input)?;
        match service {
            "athena" => self.athena().operation_as(caller, action, input).await,
            "glue" => self.glue().operation(action, input),
            "monitoring" => self.cloudwatch().operation(action, input),
            "sns" => self.sns().operation(action, input),
            "sts" => self.iam().sts(caller, action, &input),
            "iam" => self.iam().operation(action, input),
            "events" => self.eventbridge().operation(action, input),
            "scheduler" => self.scheduler().operation(action, input),
            "lambda" => self.lambda().operation(action, input),
            "logs" => self.logs().operation(action, input),
            "states" => self.stepfunctions().operation(action, input).await,
            "sqs" => self.sqs().operation(action, input).await,
            "xray" => self.xray().operation(action, &input),
            _ => Err(ServiceError::unknown_operation(service, action)),
        }
    }

    /// Whether somebody may do an operation, in the service's words if not.
    pub(crate) fn permit(
        &self,
        caller: &Caller,
        service: &str,
        operation: &str,
        input: &Value,
    ) -> Result<(), ServiceError> {
        if *caller == Caller::Root {
            return Ok(());
        }
        let needs = action::needs(self, service, operation, input);
        self.authorise_all(caller, &needs).map_err(|refusal| refusal.of_service(service))
    }

    /// A message to a queue known by its ARN, as somebody.
    pub(crate) fn send_to_queue(
        &self,
        caller: &Caller,
        arn: &str,
        body: &str,
        attributes: Option<Value>,
    ) -> Result<Value, ServiceError> {
        self.authorise(caller, &Need::new("sqs:SendMessage", arn))
            .map_err(|refusal| refusal.of_service("sqs"))?;
        self.sqs().send_to_arn(arn, body, attributes)
    }

    /// An invocation by JSON, as somebody; `trace_id` is their trace header.
    pub(crate) async fn invoke(
        &self,
        caller: &Caller,
        input: &Value,
        trace_id: Option<String>,
    ) -> Result<(u16, Option<Answer>), ServiceError> {
        self.permit(caller, "lambda", "Invoke", input)?;
        self.lambda().invoke_json(input, trace_id).await
    }

    /// Answers one HTTP request. Nothing is refused for its signature, everything for a foreign Host or Origin.
    pub async fn call(&self, request: Request<Body>) -> Response<Body> {
        if let Err(refusal) = door::check(request.uri(), request.headers()) {
            let mut response = Response::new(Body::from(format!(
                "{refusal:?}: this endpoint serves 127.0.0.1 and localhost\n"
            )));
            *response.status_mut() = StatusCode::FORBIDDEN;
            return response;
        }
        let (parts, body) = request.into_parts();
        if parts.uri.path().starts_with(local_door::PREFIX) {
            return self.local_door(&parts).await;
        }
        let target = Target::of(&parts);
        let caller = self.iam().caller(&parts);
        if target == Target::S3 {
            return self.s3().call(caller, Request::from_parts(parts, body)).await;
        }
        let request_id = Uuid::new_v4().to_string();
        let mut response = match caller {
            Ok(caller) => self.whole(&caller, target, &parts, body, &request_id).await,
            Err(error) => json::refuse("application/json", &error, "message"),
        };
        if let Ok(value) = HeaderValue::from_str(&request_id) {
            response.headers_mut().insert("x-amzn-requestid", value);
        }
        response
    }

    /// Requests whose body is read whole: all but S3's.
    async fn whole(
        &self,
        caller: &Caller,
        target: Target,
        parts: &Parts,
        body: Body,
        request_id: &str,
    ) -> Response<Body> {
        let bytes = match body::read(&parts.headers, body, target.largest_body()).await {
            Ok(bytes) => bytes,
            Err(error) => return json::refuse("application/json", &error, "message"),
        };
        match target {
            Target::Json { prefix, action } => {
                self.json((caller, &parts.headers), &prefix, &action, &bytes).await
            }
            Target::Cbor { action, .. } => {
                self.cbor((caller, &parts.headers), &action, &bytes).await
            }
            Target::Query { service } => {
                self.query((caller, &parts.headers), &service, &bytes, request_id).await
            }
            Target::Lambda => self.lambda().rest(caller, parts, bytes).await,
            Target::Scheduler => self.scheduler().rest(caller, parts, &bytes),
            Target::XRay => self.xray_rest(caller, parts, &bytes).await,
            Target::S3 => unreachable!("S3 streams its bodies and has been answered"),
        }
    }

    /// An operation asked for over the wire, which is what a bill counts.
    async fn counted(
        &self,
        (caller, headers): From<'_>,
        service: &str,
        action: &str,
        input: Value,
    ) -> Result<Value, ServiceError> {
        let counted = of_request(Sender::of(caller), headers, service, action);
        // CloudWatch bills requests, and what is in them: each metric apart.
        let metrics = input["MetricData"].as_array().map_or(0, |data| data.len() as u64);
        let answered = self.dispatch_as(caller, service, action, input).await;
        if answered.is_ok() {
            let kind = METRIC.to_owned();
            self.0.meters.count(Counted { kind, ..counted.clone() }, metrics);
        }
        self.0.meters.count(counted, 1);
        answered
    }

    async fn json(
        &self,
        from: From<'_>,
        prefix: &str,
        action: &str,
        bytes: &[u8],
    ) -> Response<Body> {
        let Some(protocol) = JSON_SERVICES.iter().find(|service| service.prefix == prefix) else {
            let error = ServiceError::unknown_operation(prefix, action);
            return json::refuse("application/x-amz-json-1.1", &error, "message");
        };
        let answered = match json::parse(bytes) {
            Ok(input) => self.counted(from, protocol.service, action, input).await,
            Err(error) => Err(error),
        };
        match answered {
            Ok(output) => json::answer(protocol.content_type, &output, 200),
            Err(error) => {
                let mut response = json::refuse(protocol.content_type, &error, protocol.message);
                if let Some(code) = sqs::query_code(&error.code)
                    && let Ok(value) = HeaderValue::from_str(&format!("{code};Sender"))
                {
                    response.headers_mut().insert("x-amzn-query-error", value);
                }
                response
            }
        }
    }

    async fn cbor(&self, from: From<'_>, action: &str, bytes: &[u8]) -> Response<Body> {
        let answered = match cbor::decode(bytes) {
            Ok(input @ Value::Object(_)) => self.counted(from, "monitoring", action, input).await,
            Ok(_) => Err(ServiceError::new("SerializationException", "expected a CBOR map")),
            Err(error) => Err(error),
        };
        cbor::response(answered)
    }

    async fn query(
        &self,
        from: From<'_>,
        service: &str,
        bytes: &[u8],
        request_id: &str,
    ) -> Response<Body> {
        let (action, input) = match query::parse(bytes) {
            Ok(parsed) => parsed,
            Err(error) => return query::refuse(&error, request_id),
        };
        match self.counted(from, service, &action, input).await {
            Ok(output) => query::answer(&action, &output, request_id),
            Err(error) if error.code == "UnknownOperationException" => {
                let message = format!("The action {action} is not valid for this web service.");
                query::refuse(&ServiceError::new("InvalidAction", message), request_id)
            }
            Err(error) => query::refuse(&error, request_id),
        }
    }
}

/// Who sends a request, and what it says beside its body.
type From<'a> = (&'a Caller, &'a HeaderMap);

/// A service that speaks awsJson.
struct JsonService {
    prefix: &'static str,
    service: &'static str,
    content_type: &'static str,
    /// How its errors spell their message.
    message: &'static str,
}

const JSON_1_0: &str = "application/x-amz-json-1.0";
const JSON_1_1: &str = "application/x-amz-json-1.1";

const JSON_SERVICES: [JsonService; 7] = [
    json_service("AWSStepFunctions", "states", JSON_1_0, "message"),
    json_service("AWSGlue", "glue", JSON_1_1, "Message"),
    json_service("AmazonAthena", "athena", JSON_1_1, "Message"),
    json_service("AWSEvents", "events", JSON_1_1, "message"),
    json_service("AmazonSQS", "sqs", JSON_1_0, "message"),
    json_service("Logs_20140328", "logs", JSON_1_1, "message"),
    json_service("GraniteServiceVersion20100801", "monitoring", JSON_1_0, "message"),
];

const fn json_service(
    prefix: &'static str,
    service: &'static str,
    content_type: &'static str,
    message: &'static str,
) -> JsonService {
    JsonService { prefix, service, content_type, message }
}
