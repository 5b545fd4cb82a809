import { CONTAINER_TYPES } from './container-types.js';
import { parseTypes, typeNamed } from './notation.js';

/** The types inside a volume, as Kubernetes 1.32 has them. */
const VOLUME_TYPES = parseTypes(
  `
HostPathVolumeSource path type*:HostPathType
EmptyDirVolumeSource medium?:StorageMedium sizeLimit*:quantity
GCEPersistentDiskVolumeSource pdName fsType? partition?:int32 readOnly?:boolean
AWSElasticBlockStoreVolumeSource volumeID fsType? partition?:int32 readOnly?:boolean
GitRepoVolumeSource repository revision? directory?
KeyToPath key path mode*:int32
SecretVolumeSource secretName? items?:[]KeyToPath defaultMode*:int32 optional*:boolean
NFSVolumeSource server path readOnly?:boolean
LocalObjectReference name?
ISCSIVolumeSource targetPortal iqn lun:int32 iscsiInterface? fsType? readOnly?:boolean portals?:[]string
  chapAuthDiscovery?:boolean chapAuthSession?:boolean secretRef*:LocalObjectReference initiatorName*
GlusterfsVolumeSource endpoints path readOnly?:boolean
PersistentVolumeClaimVolumeSource claimName readOnly?:boolean
RBDVolumeSource monitors:[]string image fsType? pool? user? keyring? secretRef*:LocalObjectReference
  readOnly?:boolean
FlexVolumeSource driver fsType? secretRef*:LocalObjectReference readOnly?:boolean options?:{}string
CinderVolumeSource volumeID fsType? readOnly?:boolean secretRef*:LocalObjectReference
CephFSVolumeSource monitors:[]string path? user? secretFile? secretRef*:LocalObjectReference readOnly?:boolean
FlockerVolumeSource datasetName? datasetUUID?
DownwardAPIVolumeFile path fieldRef*:ObjectFieldSelector resourceFieldRef*:ResourceFieldSelector mode*:int32
DownwardAPIVolumeSource items?:[]DownwardAPIVolumeFile defaultMode*:int32
FCVolumeSource targetWWNs?:[]string lun*:int32 fsType? readOnly?:boolean wwids?:[]string
AzureFileVolumeSource secretName shareName readOnly?:boolean
ConfigMapVolumeSource name? items?:[]KeyToPath defaultMode*:int32 optional*:boolean
VsphereVirtualDiskVolumeSource volumePath fsType? storagePolicyName? storagePolicyID?
QuobyteVolumeSource registry volume readOnly?:boolean user? group? tenant?
AzureDiskVolumeSource diskName diskURI cachingMode*:AzureDataDiskCachingMode fsType* readOnly*:boolean
  kind*:AzureDataDiskKind
PhotonPersistentDiskVolumeSource pdID fsType?
SecretProjection name? items?:[]KeyToPath optional*:boolean
DownwardAPIProjection items?:[]DownwardAPIVolumeFile
ConfigMapProjection name? items?:[]KeyToPath optional*:boolean
ServiceAccountTokenProjection audience? expirationSeconds*:int64 path
LabelSelectorRequirement key operator:LabelSelectorOperator values?:[]string
LabelSelector matchLabels?:{}string matchExpressions?:[]LabelSelectorRequirement
ClusterTrustBundleProjection name* signerName* labelSelector*:LabelSelector optional*:boolean path
VolumeProjection secret*:SecretProjection downwardAPI*:DownwardAPIProjection configMap*:ConfigMapProjection
  serviceAccountToken*:ServiceAccountTokenProjection clusterTrustBundle*:ClusterTrustBundleProjection
ProjectedVolumeSource sources:[]VolumeProjection defaultMode*:int32
PortworxVolumeSource volumeID fsType? readOnly?:boolean
ScaleIOVolumeSource gateway system secretRef!:LocalObjectReference sslEnabled?:boolean protectionDomain?
  storagePool? storageMode? volumeName? fsType? readOnly?:boolean
StorageOSVolumeSource volumeName? volumeNamespace? fsType? readOnly?:boolean secretRef*:LocalObjectReference
CSIVolumeSource driver readOnly*:boolean fsType* volumeAttributes?:{}string
  nodePublishSecretRef*:LocalObjectReference
OwnerReference apiVersion kind name uid controller*:boolean blockOwnerDeletion*:boolean
ObjectMeta name? generateName? namespace? selfLink? uid? resourceVersion? generation?:int64 creationTimestamp!
  deletionTimestamp* deletionGracePeriodSeconds*:int64 labels?:{}string annotations?:{}string
  ownerReferences?:[]OwnerReference finalizers?:[]string
VolumeResourceRequirements limits?:{}quantity requests?:{}quantity
TypedLocalObjectReference apiGroup! kind name
TypedObjectReference apiGroup! kind name namespace*
PersistentVolumeClaimSpec accessModes?:[]PersistentVolumeAccessMode selector*:LabelSelector
  resources?:VolumeResourceRequirements volumeName? storageClassName* volumeMode*:PersistentVolumeMode
  dataSource*:TypedLocalObjectReference dataSourceRef*:TypedObjectReference volumeAttributesClassName*
PersistentVolumeClaimTemplate metadata?:ObjectMeta spec:PersistentVolumeClaimSpec
EphemeralVolumeSource volumeClaimTemplate*:PersistentVolumeClaimTemplate
ImageVolumeSource reference? pullPolicy?:PullPolicy
Volume name hostPath*:HostPathVolumeSource emptyDir*:EmptyDirVolumeSource
  gcePersistentDisk*:GCEPersistentDiskVolumeSource awsElasticBlockStore*:AWSElasticBlockStoreVolumeSource
  gitRepo*:GitRepoVolumeSource secret*:SecretVolumeSource nfs*:NFSVolumeSource iscsi*:ISCSIVolumeSource
  glusterfs*:GlusterfsVolumeSource persistentVolumeClaim*:PersistentVolumeClaimVolumeSource rbd*:RBDVolumeSource
  flexVolume*:FlexVolumeSource cinder*:CinderVolumeSource cephfs*:CephFSVolumeSource flocker*:FlockerVolumeSource
  downwardAPI*:DownwardAPIVolumeSource fc*:FCVolumeSource azureFile*:AzureFileVolumeSource
  configMap*:ConfigMapVolumeSource vsphereVolume*:VsphereVirtualDiskVolumeSource quobyte*:QuobyteVolumeSource
  azureDisk*:AzureDiskVolumeSource photonPersistentDisk*:PhotonPersistentDiskVolumeSource
  projected*:ProjectedVolumeSource portworxVolume*:PortworxVolumeSource scaleIO*:ScaleIOVolumeSource
  storageos*:StorageOSVolumeSource csi*:CSIVolumeSource ephemeral*:EphemeralVolumeSource image*:ImageVolumeSource
`,
  CONTAINER_TYPES,
);

export const VOLUME = typeNamed(VOLUME_TYPES, 'Volume');

export const OBJECT_META = typeNamed(VOLUME_TYPES, 'ObjectMeta');
