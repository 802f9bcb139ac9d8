"""What Kubernetes, Helm and KServe document of what is exported, as JSON schemas; nothing else may be in it."""


def closed(required, **properties):
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


def array(items, least=0):
    return {"type": "array", "items": items, "minItems": least}


TEXT, WHOLE, TRUTH = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
NAME = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"}
LABELS = {"type": "object", "additionalProperties": {"type": "string"}}
LABEL_VALUES = {
    "type": "object",
    "propertyNames": {"pattern": "^([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$"},
    "additionalProperties": {"type": "string", "pattern": "^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$"},
}
META = closed("name", name=NAME, namespace=NAME, labels=LABEL_VALUES, annotations=LABELS)
QUANTITY = {"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?(m|[KMGT]i?)?$"}
AMOUNTS = closed("", cpu=QUANTITY, memory=QUANTITY, storage=QUANTITY)
RESOURCES = closed("", requests=AMOUNTS, limits=AMOUNTS)
PORT = {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 65535}, {"type": "string", "maxLength": 15}]}
PROBE = closed(
    "httpGet",
    httpGet=closed("path port", path={"type": "string", "pattern": "^/"}, port=PORT),
    periodSeconds={"type": "integer", "minimum": 1},
    timeoutSeconds={"type": "integer", "minimum": 1},
    failureThreshold={"type": "integer", "minimum": 1},
)
SECRET_KEY = closed("name key", name=NAME, key=TEXT)
ENV = {
    "oneOf": [
        closed("name value", name=TEXT, value=TEXT),
        closed("name valueFrom", name=TEXT, valueFrom=closed("secretKeyRef", secretKeyRef=SECRET_KEY)),
    ]
}
CONTAINER_SECURITY = closed(
    "allowPrivilegeEscalation readOnlyRootFilesystem capabilities",
    allowPrivilegeEscalation={"const": False},
    readOnlyRootFilesystem={"const": True},
    capabilities=closed("drop", drop={"const": ["ALL"]}),
    runAsNonRoot={"const": True},
    runAsUser={"type": "integer", "minimum": 1},
    runAsGroup={"type": "integer", "minimum": 1},
)
IMAGE = {"type": "string", "pattern": "^[a-z0-9][a-z0-9._/:-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*|@sha256:[0-9a-f]{64})$"}
CONTAINER = closed(
    "name image args env ports readinessProbe livenessProbe resources securityContext volumeMounts",
    name=NAME,
    image=IMAGE,
    imagePullPolicy={"enum": ["Always", "IfNotPresent", "Never"]},
    args=array(TEXT, 1),
    env=array(ENV, 1),
    ports=array(closed("containerPort", name=NAME, containerPort=WHOLE, protocol={"enum": ["TCP", "UDP", "SCTP"]}), 1),
    startupProbe=PROBE,
    readinessProbe=PROBE,
    livenessProbe=PROBE,
    lifecycle=closed("preStop", preStop=closed("exec", exec=closed("command", command=array(TEXT, 1)))),
    resources=RESOURCES,
    securityContext=CONTAINER_SECURITY,
    volumeMounts=array(closed("name mountPath", name=NAME, mountPath=TEXT, readOnly=TRUTH), 1),
)
VOLUME = {
    "oneOf": [
        closed("name emptyDir", name=NAME, emptyDir={"type": "object"}),
        closed("name configMap", name=NAME, configMap=closed("name", name=NAME)),
        closed("name persistentVolumeClaim", name=NAME, persistentVolumeClaim=closed("claimName", claimName=NAME)),
    ]
}
POD_SECURITY = closed(
    "seccompProfile",
    runAsNonRoot={"const": True},
    runAsUser={"type": "integer", "minimum": 1},
    runAsGroup={"type": "integer", "minimum": 1},
    fsGroup={"type": "integer", "minimum": 1},
    seccompProfile=closed("type", type={"enum": ["RuntimeDefault", "Localhost", "Unconfined"]}),
)
POD = closed(
    "containers securityContext automountServiceAccountToken volumes",
    automountServiceAccountToken={"const": False},
    terminationGracePeriodSeconds=WHOLE,
    securityContext=POD_SECURITY,
    containers=array(CONTAINER, 1),
    volumes=array(VOLUME, 1),
    imagePullSecrets=array(closed("name", name=NAME), 1),
    nodeSelector=LABELS,
    tolerations=array({"type": "object"}, 1),
)
STRATEGY = closed(
    "type",
    type={"enum": ["RollingUpdate", "Recreate"]},
    rollingUpdate=closed("", maxUnavailable=WHOLE, maxSurge=WHOLE),
)


def kind(version, name, spec=None, **others):
    parts = {"apiVersion": {"const": version}, "kind": {"const": name}, "metadata": META, **others}
    if spec is not None:
        parts["spec"] = spec
    return closed(" ".join(parts), **parts)


DEPLOYMENT = closed(
    "selector template strategy",
    replicas={"type": "integer", "minimum": 0},
    strategy=STRATEGY,
    selector=closed("matchLabels", matchLabels=LABEL_VALUES),
    template=closed("metadata spec", metadata=closed("labels", labels=LABEL_VALUES, annotations=LABELS), spec=POD),
)
SERVICE = closed(
    "selector ports",
    type={"enum": ["ClusterIP", "NodePort", "LoadBalancer"]},
    selector=LABEL_VALUES,
    ports=array(closed("port", name=NAME, port=WHOLE, targetPort=PORT, protocol={"const": "TCP"}), 1),
)
CLAIM = closed(
    "accessModes resources",
    accessModes=array({"enum": ["ReadWriteOnce", "ReadWriteMany"]}, 1),
    storageClassName=TEXT,
    resources=RESOURCES,
)
SCALER = closed(
    "scaleTargetRef minReplicas maxReplicas metrics",
    scaleTargetRef=closed("apiVersion kind name", apiVersion={"const": "apps/v1"}, kind=TEXT, name=NAME),
    minReplicas={"type": "integer", "minimum": 1},
    maxReplicas={"type": "integer", "minimum": 1},
    metrics=array({"type": "object", "required": ["type", "resource"]}, 1),
)
PREDICTOR = closed(
    "containers",
    minReplicas={"type": "integer", "minimum": 0},
    maxReplicas=WHOLE,
    timeout=WHOLE,
    canaryTrafficPercent={"type": "integer", "minimum": 0, "maximum": 100},
    automountServiceAccountToken=TRUTH,
    securityContext=POD_SECURITY,
    volumes=array(VOLUME),
    containers={
        "type": "array",
        "minItems": 1,
        "maxItems": 1,
        "items": {"allOf": [CONTAINER, {"properties": {"name": {"const": "kserve-container"}}}]},
    },
)
SCHEMAS = {
    "Deployment": kind("apps/v1", "Deployment", DEPLOYMENT),
    "Service": kind("v1", "Service", SERVICE),
    "ConfigMap": kind("v1", "ConfigMap", data=LABELS),
    "PersistentVolumeClaim": kind("v1", "PersistentVolumeClaim", CLAIM),
    "HorizontalPodAutoscaler": kind("autoscaling/v2", "HorizontalPodAutoscaler", SCALER),
    "InferenceService": kind("serving.kserve.io/v1beta1", "InferenceService", closed("predictor", predictor=PREDICTOR)),
}
"""By kind. A Secret holds ``data`` or ``stringData``."""
SCHEMAS["Secret"] = {
    "oneOf": [kind("v1", "Secret", type={"const": "Opaque"}, **{holds: LABELS}) for holds in ("data", "stringData")]
}
CHART = closed(
    "apiVersion name version",
    apiVersion={"const": "v2"},
    name={"type": "string", "pattern": "^[a-z][a-z0-9-]*$"},
    version={"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
    kubeVersion=TEXT,
    description=TEXT,
    type={"enum": ["application", "library"]},
    appVersion=TEXT,
    annotations=LABELS,
)
