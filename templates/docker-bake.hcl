
# docker buildx bake              builds every image
# docker buildx bake {{ example }}
# REGISTRY=registry.example.com/team/ TAG=1.2.3 docker buildx bake --push
variable "REGISTRY" {
  default = ""
}

variable "TAG" {
  default = "latest"
}

# An image's name, to keep the layers of all stages in: what an empty builder starts from
variable "CACHE" {
  default = ""
}
{%- if let Some(home) = home %}

variable "HOME" {
  default = "{{ home }}"
}
{%- endif %}

group "default" {
  targets = {{ names }}
}

target "_common" {
  context    = {{ context }}
  dockerfile = {{ dockerfile }}
  {%- if let Some(platforms) = platforms %}
  platforms  = {{ platforms }}
  {%- endif %}
  {%- for (key, value) in access %}
  {{ key }} = {{ value }}
  {%- endfor %}
  cache-from = CACHE == "" ? [] : ["type=registry,ref=${CACHE}"]
  cache-to   = CACHE == "" ? [] : ["type=registry,ref=${CACHE},mode=max"]
}
{%- for image in images %}

target "{{ image.name }}" {
  inherits = ["_common"]
  target   = "{{ image.stage }}"
  tags     = ["${REGISTRY}{{ image.stage }}:${TAG}"]
}
{%- endfor %}
