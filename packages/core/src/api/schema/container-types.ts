import { parseTypes } from './notation.js';

/** The types inside a container, as Kubernetes 1.32 has them: the version whose field order OpenKruise 1.9 hashes. */
export const CONTAINER_TYPES = parseTypes(`
ContainerPort name? hostPort?:int32 containerPort:int32 protocol?:Protocol hostIP?
ConfigMapEnvSource name? optional*:boolean
SecretEnvSource name? optional*:boolean
EnvFromSource prefix? configMapRef*:ConfigMapEnvSource secretRef*:SecretEnvSource
ObjectFieldSelector apiVersion? fieldPath
ResourceFieldSelector containerName? resource divisor?:quantity
ConfigMapKeySelector name? key optional*:boolean
SecretKeySelector name? key optional*:boolean
EnvVarSource fieldRef*:ObjectFieldSelector resourceFieldRef*:ResourceFieldSelector
  configMapKeyRef*:ConfigMapKeySelector secretKeyRef*:SecretKeySelector
EnvVar name value? valueFrom*:EnvVarSource
ResourceClaim name request?
ResourceRequirements limits?:{}quantity requests?:{}quantity claims?:[]ResourceClaim
ContainerResizePolicy resourceName:ResourceName restartPolicy:ResourceResizeRestartPolicy
VolumeMount name readOnly?:boolean recursiveReadOnly*:RecursiveReadOnlyMode mountPath subPath?
  mountPropagation*:MountPropagationMode subPathExpr?
VolumeDevice name devicePath
ExecAction command?:[]string
HTTPHeader name value
HTTPGetAction path? port:intOrString host? scheme?:URIScheme httpHeaders?:[]HTTPHeader
TCPSocketAction port:intOrString host?
GRPCAction port:int32 service!
Probe exec*:ExecAction httpGet*:HTTPGetAction tcpSocket*:TCPSocketAction grpc*:GRPCAction initialDelaySeconds?:int32
  timeoutSeconds?:int32 periodSeconds?:int32 successThreshold?:int32 failureThreshold?:int32
  terminationGracePeriodSeconds*:int64
SleepAction seconds:int64
LifecycleHandler exec*:ExecAction httpGet*:HTTPGetAction tcpSocket*:TCPSocketAction sleep*:SleepAction
Lifecycle postStart*:LifecycleHandler preStop*:LifecycleHandler
Capabilities add?:[]Capability drop?:[]Capability
SELinuxOptions user? role? type? level?
WindowsSecurityContextOptions gmsaCredentialSpecName* gmsaCredentialSpec* runAsUserName* hostProcess*:boolean
SeccompProfile type:SeccompProfileType localhostProfile*
AppArmorProfile type:AppArmorProfileType localhostProfile*
SecurityContext capabilities*:Capabilities privileged*:boolean seLinuxOptions*:SELinuxOptions
  windowsOptions*:WindowsSecurityContextOptions runAsUser*:int64 runAsGroup*:int64 runAsNonRoot*:boolean
  readOnlyRootFilesystem*:boolean allowPrivilegeEscalation*:boolean procMount*:ProcMountType
  seccompProfile*:SeccompProfile appArmorProfile*:AppArmorProfile
Container name image? command?:[]string args?:[]string workingDir? ports?:[]ContainerPort envFrom?:[]EnvFromSource
  env?:[]EnvVar resources?:ResourceRequirements resizePolicy?:[]ContainerResizePolicy
  restartPolicy*:ContainerRestartPolicy volumeMounts?:[]VolumeMount volumeDevices?:[]VolumeDevice
  livenessProbe*:Probe readinessProbe*:Probe startupProbe*:Probe lifecycle*:Lifecycle terminationMessagePath?
  terminationMessagePolicy?:TerminationMessagePolicy imagePullPolicy?:PullPolicy securityContext*:SecurityContext
  stdin?:boolean stdinOnce?:boolean tty?:boolean
`);
